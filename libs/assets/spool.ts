import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredAsset } from './asset-store.ts';

export interface Spooled extends Omit<StoredAsset, 'place'> {
  /** The caller's to move or remove. */
  readonly path: string;
}

/** Writes bytes of unknown length to a file of its own, on disk when this resolves; nothing is left when it fails. */
export async function spool(folder: string, bytes: AsyncIterable<Uint8Array>): Promise<Spooled> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, randomUUID());
  const hash = createHash('sha256');
  let lengthBytes = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    try {
      for await (const piece of bytes) {
        hash.update(piece);
        lengthBytes += piece.byteLength;
        await file.writeFile(piece);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return { path, sha256: hash.digest('hex'), lengthBytes };
}
