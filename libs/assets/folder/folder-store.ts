import { createReadStream } from 'node:fs';
import { access, mkdir, open, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ByteRange } from '../../operation/content.ts';
import { assetKey, type AssetStore, AssetsUnavailable, newPlace, sha256At, type StoredAsset } from '../asset-store.ts';
import { spool } from '../spool.ts';
import { verified } from '../verified.ts';

/**
 * Assets in a folder: written beside, moved to their place when they are whole and on disk. Several processes may
 * share one folder, since nothing in it is ever changed.
 */
export class FolderAssetStore implements AssetStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async put(workspace: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredAsset> {
    const { path, sha256, lengthBytes } = await spool(this.#spoolFolder, asRead(bytes)).catch(unavailable);
    const place = newPlace(sha256);
    await settle(path, join(this.#root, assetKey(workspace, place))).catch(unavailable);
    return { place, sha256, lengthBytes };
  }

  async has(workspace: string, place: string): Promise<boolean> {
    const path = join(this.#root, assetKey(workspace, place));
    try {
      await access(path);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      return unavailable(error);
    }
  }

  async *read(workspace: string, place: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
    const path = join(this.#root, assetKey(workspace, place));
    const part = range === undefined ? {} : { start: range.first, end: range.last };
    const bytes = asAsset(createReadStream(path, part));
    yield* range === undefined ? verified(bytes, sha256At(place)) : bytes;
  }

  async remove(workspace: string, place: string): Promise<void> {
    const path = join(this.#root, assetKey(workspace, place));
    try {
      await unlink(path);
      await sync(dirname(path));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') unavailable(error);
    }
  }

  /** On the same file system as the assets: a rename is one step. */
  get #spoolFolder(): string {
    return join(this.#root, '.incoming');
  }
}

async function settle(path: string, place: string): Promise<void> {
  try {
    await mkdir(dirname(place), { recursive: true });
    await rename(path, place);
    await sync(dirname(place));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** What a folder lists is on disk when this resolves. */
async function sync(path: string): Promise<void> {
  const folder = await open(path);
  await folder.sync().finally(() => folder.close());
}

/** What went wrong with the bytes' own source is told from what went wrong with the disk. */
class SourceFailed extends Error {}

async function* asRead(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (cause) {
    throw new SourceFailed('the source of the bytes failed', { cause });
  }
}

async function* asAsset(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    unavailable(error);
  }
}

function unavailable(error: unknown): never {
  if (error instanceof SourceFailed) throw error.cause;
  throw new AssetsUnavailable('the folder of assets cannot be used', { cause: error });
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
