import { createHash, createPublicKey, verify } from 'node:crypto';
import canonicalize from 'canonicalize';

/**
 * A second verifier, written from the texts alone and sharing nothing with libs/proof: RFC 6962 §2.1, RFC 8785,
 * c2sp.org/signed-note, c2sp.org/tlog-checkpoint and c2sp.org/tlog-tiles. Slow and plain on purpose.
 */

const sha256 = (...parts: (Buffer | string)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** MTH over leaf hashes (RFC 6962 §2.1). */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256('');
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(Buffer.of(1), rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

/** The leaf of an event as the documents describe it: SHA-256(0x00 || its canonical JSON). */
export const leafOf = (event: unknown): Buffer => sha256(Buffer.of(0), canonicalize(event) ?? '');

/** Size and root of a checkpoint that the key (a vkey) has signed. @throws Error when it has not */
export function readCheckpoint(note: string, vkey: string): { size: number; root: Buffer } {
  const at = note.lastIndexOf('\n\n') + 1;
  const text = note.slice(0, at);
  const lines = note.slice(at + 1).split('\n');
  const [name = '', , ...base64] = vkey.split('+');
  const typed = Buffer.from(base64.join('+'), 'base64');
  const keyId = sha256(`${name}\n`, typed).subarray(0, 4);
  const x = typed.subarray(1).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const signed = lines.some((line) => {
    if (!line.startsWith(`— ${name} `)) return false;
    const bytes = Buffer.from(line.slice(name.length + 3), 'base64');
    return bytes.subarray(0, 4).equals(keyId) && verify(null, Buffer.from(text), key, bytes.subarray(4));
  });
  if (!signed) throw new Error('the checkpoint is not signed by that key');
  const [, size = '', root = ''] = text.split('\n');
  return { size: Number(size), root: Buffer.from(root, 'base64') };
}

/** All leaf hashes of a tree, by its level-0 tiles. @param fetchTile answers the bytes of `0/000`, `0/001.p/17`, … */
export async function readLeaves(size: number, fetchTile: (path: string) => Promise<Buffer>): Promise<Buffer[]> {
  const leaves: Buffer[] = [];
  for (let tile = 0; tile * 256 < size; tile++) {
    const width = Math.min(256, size - tile * 256);
    const bytes = await fetchTile(`0/${String(tile).padStart(3, '0')}${width < 256 ? `.p/${width}` : ''}`);
    if (bytes.length !== width * 32) throw new Error(`tile ${tile} has ${bytes.length} bytes`);
    for (let at = 0; at < width; at++) leaves.push(bytes.subarray(at * 32, at * 32 + 32));
  }
  return leaves;
}
