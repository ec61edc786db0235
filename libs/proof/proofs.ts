import { type Hash, nodeHash, sameHash } from './hash.ts';
import { type Subtree, subtreesOf } from './subtrees.ts';

/** The leaves [from, to): a proof is a list of the hashes of such ranges. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** Where the hashes of full subtrees are had from, all that are needed at once: the tiles. */
export type SubtreeHashes = (subtrees: readonly Subtree[]) => Promise<readonly Hash[]>;

/** Ranges whose hashes prove that the leaf is in the tree, lowest first. RFC 6962 §2.1.1 (PATH) */
export function inclusionRanges(leaf: number, size: number): LeafRange[] {
  if (leaf < 0 || leaf >= size) throw new RangeError(`there is no leaf ${leaf} in a tree of ${size}`);
  const ranges: LeafRange[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (leaf < middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  return ranges.toReversed();
}

/** Ranges whose hashes prove that the tree of `newer` leaves begins with that of `older`. RFC 6962 §2.1.2 (PROOF) */
export function consistencyRanges(older: number, newer: number): LeafRange[] {
  if (older < 0 || older > newer) throw new RangeError(`a tree of ${older} cannot have grown to ${newer}`);
  if (older === 0 || older === newer) return [];
  const ranges: LeafRange[] = [];
  let from = 0;
  let to = newer;
  let whole = true;
  while (to !== older) {
    const middle = from + splitOf(to - from);
    if (older <= middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
      whole = false;
    }
  }
  // The older tree itself is known to whoever asks.
  if (!whole) ranges.push({ from, to });
  return ranges.toReversed();
}

/** The Merkle Tree Hashes of ranges that the recursion of RFC 6962 §2.1 comes upon; their last may be ragged. */
export async function rangeHashes(ranges: readonly LeafRange[], hashesOf: SubtreeHashes): Promise<Hash[]> {
  const parts = ranges.map(({ from, to }) => subtreesOf(from, to));
  const hashes = await hashesOf(parts.flat());
  let taken = 0;
  return parts.map(({ length }) => {
    const own = hashes.slice(taken, (taken += length));
    return own.reduceRight((right, left) => nodeHash(left, right));
  });
}

/** Whether the proof leads from the leaf to the root. RFC 9162 §2.1.3.2 */
export function includes(leaf: number, size: number, leafHash: Hash, proof: readonly Hash[], root: Hash): boolean {
  if (leaf < 0 || leaf >= size) return false;
  let fn = leaf;
  let sn = size - 1;
  let hash = leafHash;
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && sameHash(hash, root);
}

/** Whether the proof leads from the older root to the newer one. RFC 9162 §2.1.4.2 */
export function consistent(
  older: { readonly size: number; readonly root: Hash },
  newer: { readonly size: number; readonly root: Hash },
  proof: readonly Hash[],
): boolean {
  if (older.size > newer.size) return false;
  if (older.size === newer.size) return proof.length === 0 && sameHash(older.root, newer.root);
  // Every tree begins with the empty one.
  if (older.size === 0) return proof.length === 0;
  const path = isPowerOfTwo(older.size) ? [older.root, ...proof] : proof;
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let fn = older.size - 1;
  let sn = newer.size - 1;
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  let olderRoot = first;
  let newerRoot = first;
  for (const hash of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      olderRoot = nodeHash(hash, olderRoot);
      newerRoot = nodeHash(hash, newerRoot);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      newerRoot = nodeHash(newerRoot, hash);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && sameHash(olderRoot, older.root) && sameHash(newerRoot, newer.root);
}

/** The largest power of two below n. */
function splitOf(n: number): number {
  let split = 1;
  while (split * 2 < n) split *= 2;
  return split;
}

const half = (n: number): number => Math.floor(n / 2);

const isPowerOfTwo = (n: number): boolean => n === 1 || splitOf(n) * 2 === n;
