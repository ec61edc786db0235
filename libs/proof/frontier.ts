import { emptyRoot, type Hash, nodeHash } from './hash.ts';

/** More than any tree of safe integers needs. */
const DEEPEST = 53;

/**
 * The right edge of a growing Merkle tree: the hashes of the full subtrees that its leaves so far fall into, largest
 * first. Enough to grow it by leaves, or by whole subtrees whose leaves are not at hand, and to tell its root.
 */
export class Frontier {
  readonly #levels: number[] = [];
  readonly #hashes: Hash[] = [];
  #size = 0;

  /** Of a tree of `size` leaves, by the hashes of `subtreesOf(0, size)`. @throws RangeError when they are not as many */
  static of(size: number, hashes: readonly Hash[]): Frontier {
    const frontier = new Frontier();
    let rest = size;
    for (let level = DEEPEST, taken = 0; level >= 0; level--) {
      const width = 2 ** level;
      if (rest < width) continue;
      const hash = hashes[taken++];
      if (hash === undefined) throw new RangeError(`a tree of ${size} leaves has more than ${hashes.length} subtrees`);
      frontier.append(hash, level);
      rest -= width;
    }
    return frontier;
  }

  /** Leaves so far. */
  get size(): number {
    return this.#size;
  }

  /** Hashes of `subtreesOf(0, size)`. */
  get hashes(): readonly Hash[] {
    return this.#hashes;
  }

  /**
   * Grows by a leaf (level 0), or by a full subtree of `2**level` leaves. `grown` hears of every subtree that this
   * makes whole, the appended one first, with the index of its first leaf.
   * @throws RangeError when a subtree of that size cannot begin here
   */
  append(hash: Hash, level = 0, grown?: (hash: Hash, level: number, firstLeaf: number) => void): void {
    let first = this.#size;
    let width = 2 ** level;
    if (first % width !== 0) throw new RangeError(`no subtree of ${width} leaves begins at leaf ${first}`);
    this.#size += width;
    let merged = hash;
    let at = level;
    grown?.(merged, at, first);
    while (this.#levels.at(-1) === at) {
      this.#levels.pop();
      merged = nodeHash(this.#hashes.pop()!, merged);
      first -= width;
      width *= 2;
      at++;
      grown?.(merged, at, first);
    }
    this.#levels.push(at);
    this.#hashes.push(merged);
  }

  /** The Merkle Tree Hash of all leaves so far. RFC 6962 §2.1 */
  root(): Hash {
    let root: Hash | undefined;
    for (const hash of this.#hashes.toReversed()) root = root === undefined ? hash : nodeHash(hash, root);
    return root ?? emptyRoot();
  }
}
