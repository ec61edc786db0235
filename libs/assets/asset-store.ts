import { randomUUID } from 'node:crypto';
import type { ByteRange } from '../operation/content.ts';

/**
 * Where the bytes of uploaded files lie: by workspace, and there each upload at a place of its own, which names their
 * SHA-256 first. They are never changed, belong to nobody else, and can be removed without asking who else has the same
 * (docs/decisions/0043). What a file is called and hangs on is in the event log.
 */
export interface AssetStore {
  /** Keeps the bytes, all or none of them. Reads `bytes` once, and throws what that throws. @throws AssetsUnavailable */
  put(workspace: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredAsset>;

  /** @throws AssetsUnavailable */
  has(workspace: string, place: string): Promise<boolean>;

  /**
   * The bytes as they were put, or a range within them. Whole ones are checked against their hash: the last piece
   * comes only when all was right. @throws AssetsUnavailable, AssetDamaged (while they are read)
   */
  read(workspace: string, place: string, range?: ByteRange): AsyncIterable<Uint8Array>;

  /** The bytes are gone when this resolves, whether or not they were there. @throws AssetsUnavailable */
  remove(workspace: string, place: string): Promise<void>;
}

export interface StoredAsset {
  /** `<sha256>.<uuid>`; of files uploaded before each had its own, `<sha256>`, and others may be there, too. */
  readonly place: string;
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
const SHA256_DIGITS = 64;
const PLACE = /^[0-9a-f]{64}(\.[0-9a-f-]{36})?$/;

export const newPlace = (sha256: string): string => `${sha256}.${randomUUID()}`;

/** Of the bytes that lie there. */
export const sha256At = (place: string): string => place.slice(0, SHA256_DIGITS);

/** Whether the bytes there may be another asset's, too. */
export const isShared = (place: string): boolean => place.length === SHA256_DIGITS;

/** `<workspace>/<two digits>/<place>`, below whatever root. Never made of anything that could lead out of it. */
export function assetKey(workspace: string, place: string): string {
  if (!WORKSPACE.test(workspace) || !PLACE.test(place)) throw new Error('no key of an asset');
  return `${workspace}/${place.slice(0, 2)}/${place}`;
}
