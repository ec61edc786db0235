import { createHash } from 'node:crypto';
import { AssetDamaged } from './asset-store.ts';

/** Passes bytes on, one piece behind, so that the last one goes out only when their hash is right. @throws AssetDamaged */
export async function* verified(bytes: AsyncIterable<Uint8Array>, sha256: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let held: Uint8Array | null = null;
  for await (const piece of bytes) {
    hash.update(piece);
    if (held !== null) yield held;
    held = piece;
  }
  if (hash.digest('hex') !== sha256) throw new AssetDamaged(`the bytes of ${sha256} are not those that were put there`);
  if (held !== null) yield held;
}
