import { hash } from 'node:crypto';

/** SHA-256, 32 bytes. */
export type Hash = Uint8Array;

export const HASH_BYTES = 32;

const LEAF = 0x00;
const NODE = 0x01;

const node = Buffer.alloc(1 + 2 * HASH_BYTES);
node[0] = NODE;

let leaf = Buffer.alloc(4_096);
leaf[0] = LEAF;

/** The Merkle Tree Hash of one entry: SHA-256(0x00 || entry). RFC 6962 §2.1 */
export function leafHash(entry: string | Uint8Array): Hash {
  const most = typeof entry === 'string' ? entry.length * 3 : entry.length;
  if (leaf.length <= most) {
    leaf = Buffer.alloc(2 * most + 1);
    leaf[0] = LEAF;
  }
  let length: number;
  if (typeof entry === 'string') length = leaf.write(entry, 1);
  else {
    leaf.set(entry, 1);
    ({ length } = entry);
  }
  return hash('sha256', leaf.subarray(0, 1 + length), 'buffer');
}

/** The Merkle Tree Hash of two subtrees: SHA-256(0x01 || left || right). RFC 6962 §2.1 */
export function nodeHash(left: Hash, right: Hash): Hash {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return hash('sha256', node, 'buffer');
}

/** The root of a tree with no leaves: SHA-256 of nothing. RFC 6962 §2.1 */
export const emptyRoot = (): Hash => hash('sha256', '', 'buffer');

export const sameHash = (a: Hash, b: Hash): boolean => Buffer.compare(a, b) === 0;
