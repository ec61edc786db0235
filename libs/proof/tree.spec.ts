import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Frontier } from './frontier.ts';
import { emptyRoot, type Hash, leafHash } from './hash.ts';
import { consistencyRanges, consistent, inclusionRanges, includes, rangeHashes, type SubtreeHashes } from './proofs.ts';
import { type Subtree, subtreesOf } from './subtrees.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** RFC 6962 §2.1, word for word, and nothing shared with what is tested. */
function mth(entries: readonly Uint8Array[]): Buffer {
  const sha256 = (...parts: Uint8Array[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer');
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return sha256(Buffer.of(0), entries[0]!);
  let k = 1;
  while (k * 2 < entries.length) k *= 2;
  return sha256(Buffer.of(1), mth(entries.slice(0, k)), mth(entries.slice(k)));
}

const entriesOf = (size: number): Buffer[] => Array.from({ length: size }, (_, index) => Buffer.from(`entry ${index}`));

const hashIn = (entries: readonly Uint8Array[], { level, index }: Subtree): Hash =>
  mth(entries.slice(index * 2 ** level, (index + 1) * 2 ** level));

const subtreeHashes =
  (entries: readonly Uint8Array[]): SubtreeHashes =>
  (subtrees) =>
    Promise.resolve(subtrees.map((subtree) => hashIn(entries, subtree)));

/** The tree every implementation of RFC 6962 is tried on. */
const KNOWN = [
  ['', '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
  ['00', 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
  ['10', 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
  ['2021', 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
  ['3031', '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
  ['40414243', '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
  ['5051525354555657', 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
  ['606162636465666768696a6b6c6d6e6f', '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
] as const;

describe('the Merkle tree', () => {
  it('P9 has the roots everyone else has', () => {
    const frontier = new Frontier();
    expect(hex(frontier.root())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    for (const [entry, root] of KNOWN) {
      frontier.append(leafHash(Buffer.from(entry, 'hex')));
      expect(hex(frontier.root())).toBe(root);
    }
  });

  it('P9 grows by leaves or by whole subtrees to the same root', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.array(fc.nat(200), { maxLength: 6 }), (size, cuts) => {
        const entries = entriesOf(size);
        const bounds = [0, ...cuts.map((cut) => Math.min(cut, size)).toSorted((a, b) => a - b), size];
        const frontier = new Frontier();
        bounds.slice(1).forEach((to, index) => {
          const from = bounds[index]!;
          if (index % 2 === 0) entries.slice(from, to).forEach((entry) => frontier.append(leafHash(entry)));
          else for (const subtree of subtreesOf(from, to)) frontier.append(hashIn(entries, subtree), subtree.level);
        });
        expect(frontier.size).toBe(size);
        expect(hex(frontier.root())).toBe(hex(mth(entries)));
        expect(hex(Frontier.of(size, frontier.hashes).root())).toBe(hex(mth(entries)));
      }),
    );
  });

  it('P9 proves every leaf, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 150 }), fc.nat(149), async (size, pick) => {
        const leaf = pick % size;
        const entries = entriesOf(size);
        const root = mth(entries);
        const proof = await rangeHashes(inclusionRanges(leaf, size), subtreeHashes(entries));
        const hashed = leafHash(entries[leaf]!);
        expect(includes(leaf, size, hashed, proof, root)).toBe(true);
        expect(includes(leaf, size, leafHash('edited'), proof, root)).toBe(false);
        expect(includes(leaf, size, hashed, [...proof, root], root)).toBe(false);
        if (proof.length > 0) expect(includes(leaf, size, hashed, proof.slice(1), root)).toBe(false);
        for (let other = 0; other < size; other++) {
          if (other !== leaf) expect(includes(other, size, hashed, proof, root)).toBe(false);
        }
      }),
    );
  });

  it('P9 proves that it only grew, and finds where it did not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(150), fc.nat(150), fc.nat(150), async (a, b, edited) => {
        const [small, large] = [Math.min(a, b), Math.max(a, b)];
        const entries = entriesOf(large);
        const older = { size: small, root: mth(entries.slice(0, small)) };
        const newer = { size: large, root: mth(entries) };
        const proof = await rangeHashes(consistencyRanges(small, large), subtreeHashes(entries));
        expect(consistent(older, newer, proof)).toBe(true);
        if (small === 0) return;
        const rewritten = entries.map((entry, index) => (index === edited % small ? Buffer.from('rewritten') : entry));
        const forged = { size: large, root: mth(rewritten) };
        const forgedProof = await rangeHashes(consistencyRanges(small, large), subtreeHashes(rewritten));
        expect(consistent(older, forged, forgedProof)).toBe(false);
        expect(consistent(older, forged, proof)).toBe(false);
      }),
    );
  });

  it('an entry longer than any before is hashed whole', () => {
    for (const length of [0, 1, 4_095, 4_096, 100_000]) {
      const text = 'é'.repeat(length);
      expect(hex(leafHash(text))).toBe(hex(mth([Buffer.from(text)])));
      expect(hex(leafHash(Buffer.from(text)))).toBe(hex(leafHash(text)));
    }
    expect(hex(emptyRoot())).toBe(hex(mth([])));
  });
});
