import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AssetDamaged, type AssetStore, AssetsUnavailable } from '../../libs/assets/asset-store.ts';

export interface OpenedStore {
  readonly store: AssetStore;
  /** How many files or objects it keeps, unfinished ones included. */
  kept(): Promise<number>;
  /** Changes one byte of the only thing that is kept. */
  damage(): Promise<void>;
  /** Makes it unusable. */
  breakDown(): Promise<void>;
  close(): Promise<void>;
}

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function* pieces(...texts: (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

/** What every store of assets does; an adapter's spec gives the factory. */
export function assetStoreContract(name: string, openStore: () => Promise<OpenedStore>): void {
  describe(`asset store: ${name}`, () => {
    let opened: OpenedStore;
    let store: AssetStore;
    beforeEach(async () => {
      opened = await openStore();
      store = opened.store;
    });
    afterEach(() => opened.close());

    const textOf = async (...[workspace, place, range]: Parameters<AssetStore['read']>): Promise<string> =>
      Buffer.concat(await Array.fromAsync(store.read(workspace, place, range))).toString();

    it('keeps bytes under their hash, and gives them back whole or in part', async () => {
      const stored = await store.put('w1', pieces('hello, ', 'world'));
      const hash = sha256('hello, world');
      expect(stored).toEqual({ place: expect.stringContaining(`${hash}.`), sha256: hash, lengthBytes: 12 });
      expect(await store.has('w1', stored.place)).toBe(true);
      expect(await textOf('w1', stored.place)).toBe('hello, world');
      expect(await textOf('w1', stored.place, { first: 7, last: 9 })).toBe('wor');
    });

    it('keeps large ones, and those of no length', async () => {
      const large = Buffer.alloc(3_000_000, 'large');
      const stored = await store.put('w1', pieces(large.subarray(0, 1_234_567), large.subarray(1_234_567)));
      expect(stored).toMatchObject({ sha256: sha256(large), lengthBytes: large.length });
      expect(sha256(Buffer.concat(await Array.fromAsync(store.read('w1', stored.place))))).toBe(stored.sha256);
      const empty = await store.put('w1', pieces());
      expect(empty).toMatchObject({ sha256: sha256(''), lengthBytes: 0 });
      expect(await textOf('w1', empty.place)).toBe('');
    });

    it('removes one of many that have the same bytes, and no other, however often it is asked to', async () => {
      const puts = await Promise.all(Array.from({ length: 8 }, () => store.put('w1', pieces('the same'))));
      expect(new Set(puts.map((put) => put.sha256)).size).toBe(1);
      const [removed, ...others] = puts;
      const { place } = removed!;
      await store.remove('w1', place);
      await store.remove('w1', place);
      expect(await store.has('w1', place)).toBe(false);
      await expect(textOf('w1', place)).rejects.toThrow(AssetsUnavailable);
      expect(await opened.kept()).toBe(others.length);
      for (const other of others) expect(await textOf('w1', other.place)).toBe('the same');
    });

    it('P13 gives nothing to another workspace', async () => {
      const { place } = await store.put('w1', pieces('ours'));
      expect(await store.has('w2', place)).toBe(false);
      await expect(textOf('w2', place)).rejects.toThrow(AssetsUnavailable);
      await store.remove('w2', place);
      expect(await textOf('w1', place)).toBe('ours');
    });

    it('keeps nothing of bytes that did not all come, and says why', async () => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('half of it');
        throw new RangeError('too large');
      }
      await expect(store.put('w1', broken())).rejects.toThrow(new RangeError('too large'));
      expect(await opened.kept()).toBe(0);
    });

    it('notices bytes that have changed, before the last of them is out', async () => {
      const { place } = await store.put('w1', pieces('as they were'));
      await opened.damage();
      const got: Uint8Array[] = [];
      const reading = async (): Promise<void> => {
        for await (const piece of store.read('w1', place)) got.push(piece);
      };
      await expect(reading()).rejects.toThrow(AssetDamaged);
      expect(Buffer.concat(got).length).toBeLessThan(12);
    });

    it('a reader that goes away early harms nothing', async () => {
      const { place } = await store.put('w1', pieces(Buffer.alloc(1_000_000, 'x')));
      for await (const piece of store.read('w1', place)) {
        expect(piece.byteLength).toBeGreaterThan(0);
        break;
      }
      expect(await store.has('w1', place)).toBe(true);
    });

    it('P4 says so when it cannot be used', async () => {
      const { place } = await store.put('w1', pieces('hello'));
      await opened.breakDown();
      await expect(store.put('w1', pieces('more'))).rejects.toThrow(AssetsUnavailable);
      await expect(store.has('w1', place)).rejects.toThrow(AssetsUnavailable);
      await expect(textOf('w1', place)).rejects.toThrow(AssetsUnavailable);
      await expect(store.remove('w1', place)).rejects.toThrow(AssetsUnavailable);
    });

    it.each([
      ['..', 'a'.repeat(64)],
      ['w1/..', 'a'.repeat(64)],
      ['w1', `../${'a'.repeat(61)}`],
      ['w1', 'A'.repeat(64)],
      ['w1', `${'a'.repeat(64)}.../${'a'.repeat(33)}`],
    ])('is not led elsewhere by %s, %s', async (workspace, place) => {
      await expect(store.has(workspace, place)).rejects.toThrow('no key of an asset');
      await expect(textOf(workspace, place)).rejects.toThrow('no key of an asset');
      await expect(store.remove(workspace, place)).rejects.toThrow('no key of an asset');
    });
  });
}
