import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Frontier } from './frontier.ts';
import { leafHash } from './hash.ts';
import { hashInTile, parseTilePath, partialTiles, TILE_WIDTH, tileHolding, tilePath } from './tiles.ts';

describe('tiles', () => {
  it.each([
    ['0/000', { level: 0, index: 0, width: 256 }],
    ['0/x001/x234/067', { level: 0, index: 1_234_067, width: 256 }],
    ['2/999.p/1', { level: 2, index: 999, width: 1 }],
    ['1/x001/000.p/255', { level: 1, index: 1_000, width: 255 }],
  ])('%s is written and read the one way', (path, address) => {
    expect(tilePath(address)).toBe(path);
    expect(parseTilePath(path)).toEqual(address);
  });

  it.each([
    '64/000',
    '00/000',
    '0/0',
    '0/x000/000',
    '0/001/000',
    '0/000.p/0',
    '0/000.p/256',
    '0/000.p/01',
    '0/x001',
    '',
  ])('%s is no tile', (path) => expect(parseTilePath(path)).toBeNull());

  it('a tree of 70,000 and one of 256 have the partial tiles of the specification', () => {
    expect(partialTiles(70_000)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
    expect(partialTiles(256)).toEqual([{ level: 1, index: 0, width: 1 }]);
    expect(partialTiles(0)).toEqual([]);
  });

  it('P9 every full subtree of a tree is found in its tiles', () => {
    const size = 1_500;
    const tiles = new Map<string, Uint8Array[]>();
    const known = new Map<string, Uint8Array>();
    const frontier = new Frontier();
    for (let leaf = 0; leaf < size; leaf++) {
      frontier.append(leafHash(`entry ${leaf}`), 0, (hash, level, firstLeaf) => {
        const index = firstLeaf / 2 ** level;
        known.set(`${level} ${index}`, hash);
        if (level % 8 !== 0) return;
        const tile = `${level / 8} ${Math.floor(index / TILE_WIDTH)}`;
        tiles.set(tile, [...(tiles.get(tile) ?? []), hash]);
      });
    }
    fc.assert(
      fc.property(fc.nat(10), fc.nat(size), (level, pick) => {
        const index = pick % Math.floor(size / 2 ** level);
        const address = tileHolding({ level, index }, size);
        const tile = tiles.get(`${address.level} ${address.index}`) ?? [];
        expect(tile).toHaveLength(address.width);
        expect(Buffer.compare(hashInTile({ level, index }, Buffer.concat(tile)), known.get(`${level} ${index}`)!)).toBe(
          0,
        );
      }),
    );
  });
});
