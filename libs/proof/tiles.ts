import { Frontier } from './frontier.ts';
import { type Hash, HASH_BYTES } from './hash.ts';
import type { Subtree } from './subtrees.ts';

/** Hashes in a full tile, and leaves under each hash of the level above. https://c2sp.org/tlog-tiles */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

/** A row of hashes of the tree: full with 256, partial at the right edge. */
export interface TileAddress {
  /** Of tiles: each is eight levels of the tree. */
  readonly level: number;
  readonly index: number;
  /** Hashes in it, 1 to 256. */
  readonly width: number;
}

const PATH = /^(0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;
const DEEPEST = 63;

/** `0/x001/x234/067`, `1/000.p/17`: what follows `<prefix>/tile/`. */
export function tilePath({ level, index, width }: TileAddress): string {
  let elements = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    elements = `x${String(rest % 1000).padStart(3, '0')}/${elements}`;
  }
  return `${level}/${elements}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** Null: no tile's path, or not written the one way it must be. */
export function parseTilePath(path: string): TileAddress | null {
  const [, level, elements, width] = PATH.exec(path) ?? [];
  if (level === undefined || elements === undefined || Number(level) > DEEPEST) return null;
  const index = Number(elements.replaceAll(/[x/]/g, ''));
  const address = { level: Number(level), index, width: width === undefined ? TILE_WIDTH : Number(width) };
  return Number.isSafeInteger(index) && tilePath(address) === path ? address : null;
}

/** How many hashes the last tile of a level holds; 0: it is full, or there is none. */
export const partialWidth = (size: number, level: number): number =>
  Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;

/** The tiles at the right edge of a tree of that size: the partial ones, which a checkpoint of it needs served. */
export function partialTiles(size: number): TileAddress[] {
  const tiles: TileAddress[] = [];
  for (let level = 0; TILE_WIDTH ** level <= size; level++) {
    const width = partialWidth(size, level);
    if (width > 0) tiles.push({ level, index: Math.floor(size / TILE_WIDTH ** (level + 1)), width });
  }
  return tiles;
}

/** The tile a subtree's hash is in, or is reckoned from, in a tree of `size` leaves. */
export function tileHolding({ level, index }: Subtree, size: number): TileAddress {
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const first = index * 2 ** (level % TILE_HEIGHT);
  const tileIndex = Math.floor(first / TILE_WIDTH);
  const hashes = Math.floor(size / TILE_WIDTH ** tileLevel);
  return { level: tileLevel, index: tileIndex, width: Math.min(TILE_WIDTH, hashes - tileIndex * TILE_WIDTH) };
}

/** The subtree's hash, from the bytes of the tile that holds it. @throws RangeError when the tile is too narrow */
export function hashInTile({ level, index }: Subtree, tile: Uint8Array): Hash {
  const count = 2 ** (level % TILE_HEIGHT);
  const first = (index * count) % TILE_WIDTH;
  if ((first + count) * HASH_BYTES > tile.length) throw new RangeError(`the tile ends before hash ${first + count}`);
  const subtree = new Frontier();
  for (let at = first; at < first + count; at++) subtree.append(tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
  return subtree.root();
}
