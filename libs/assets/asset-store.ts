import type { ByteRange } from '../operation/content.ts';

/**
 * Where the bytes of uploaded files lie: by workspace, and there by their SHA-256, so the same file is kept once, is
 * never changed, and belongs to nobody else. What a file is called and hangs on is in the event log.
 */
export interface AssetStore {
  /** Keeps the bytes, all or none of them. Reads `bytes` once, and throws what that throws. @throws AssetsUnavailable */
  put(workspace: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredAsset>;

  /** @throws AssetsUnavailable */
  has(workspace: string, sha256: string): Promise<boolean>;

  /**
   * The bytes as they were put, or a range within them. Whole ones are checked against their hash: the last piece
   * comes only when all was right. @throws AssetsUnavailable, AssetDamaged (while they are read)
   */
  read(workspace: string, sha256: string, range?: ByteRange): AsyncIterable<Uint8Array>;
}

export interface StoredAsset {
  /** Hex. */
  readonly sha256: string;
  readonly lengthBytes: number;
}

/** The store cannot be reached, or will not take or give what it should. */
export class AssetsUnavailable extends Error {
  override readonly name = 'AssetsUnavailable';
}

/** What the store gave is not what it was given. */
export class AssetDamaged extends Error {
  override readonly name = 'AssetDamaged';
}

const WORKSPACE = /^[\w-]{1,64}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** `<workspace>/<two digits>/<hash>`, below whatever root. Never made of anything that could lead out of it. */
export function assetKey(workspace: string, sha256: string): string {
  if (!WORKSPACE.test(workspace) || !SHA256.test(sha256)) throw new Error('no key of an asset');
  return `${workspace}/${sha256.slice(0, 2)}/${sha256}`;
}
