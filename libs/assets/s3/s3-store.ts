import { openAsBlob } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import type { ByteRange } from '../../operation/content.ts';
import { assetKey, type AssetStore, AssetsUnavailable, newPlace, sha256At, type StoredAsset } from '../asset-store.ts';
import { spool } from '../spool.ts';
import { verified } from '../verified.ts';

export interface S3Place {
  readonly kind: 's3';
  readonly bucket: string;
  /** Before every key; '' or ending in a slash. */
  readonly prefix: string;
  readonly region: string;
  /** `https://…`, without the bucket. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

const RETRIES = 2;
const ANSWER_WITHIN_MS = 10_000;
const UPLOAD_WITHIN_MS = 300_000;

/**
 * Assets in an S3-compatible store, addressed by path (`endpoint/bucket/key`), which every such store understands.
 * An object is named by its bytes, so they are spooled first; its hash is signed with it, and a PUT is all or nothing.
 */
export class S3AssetStore implements AssetStore {
  readonly #client: AwsClient;
  readonly #base: string;
  readonly #spoolFolder: string;

  constructor(place: S3Place, scratchFolder: string) {
    const { accessKeyId, secretAccessKey, sessionToken, region } = place;
    this.#client = new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === null ? {} : { sessionToken }),
      region,
      service: 's3',
      retries: RETRIES,
    });
    this.#base = `${place.endpoint.replace(/\/$/, '')}/${place.bucket}/${place.prefix}`;
    this.#spoolFolder = join(scratchFolder, 'incoming');
  }

  async put(workspace: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredAsset> {
    const { path, sha256, lengthBytes } = await spool(this.#spoolFolder, bytes);
    try {
      const place = newPlace(sha256);
      const answer = await this.#ask(workspace, place, {
        method: 'PUT',
        body: await openAsBlob(path),
        headers: { 'X-Amz-Content-Sha256': sha256 },
        signal: AbortSignal.timeout(UPLOAD_WITHIN_MS),
      });
      await answer.body?.cancel();
      if (!answer.ok) throw new AssetsUnavailable(`the store answered ${answer.status} to a PUT`);
      return { place, sha256, lengthBytes };
    } finally {
      await rm(path, { force: true });
    }
  }

  async has(workspace: string, place: string): Promise<boolean> {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const { status, ok } = await this.#ask(workspace, place, { method: 'HEAD', signal });
    if (!ok && status !== 404) throw new AssetsUnavailable(`the store answered ${status} to a HEAD`);
    return ok;
  }

  async *read(workspace: string, place: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
    // The time is for the answer to begin: reading it may take as long as its caller does.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_WITHIN_MS);
    const headers = range === undefined ? {} : { Range: `bytes=${range.first}-${range.last}` };
    const answer = await this.#ask(workspace, place, { method: 'GET', headers, signal: late.signal }).finally(() =>
      clearTimeout(timer),
    );
    if (answer.status !== (range === undefined ? 200 : 206) || answer.body === null) {
      await answer.body?.cancel();
      throw new AssetsUnavailable(`the store answered ${answer.status} to a GET`);
    }
    const bytes = received(answer.body);
    yield* range === undefined ? verified(bytes, sha256At(place)) : bytes;
  }

  async remove(workspace: string, place: string): Promise<void> {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const { status, ok, body } = await this.#ask(workspace, place, { method: 'DELETE', signal });
    await body?.cancel();
    if (!ok && status !== 404) throw new AssetsUnavailable(`the store answered ${status} to a DELETE`);
  }

  async #ask(workspace: string, place: string, init: RequestInit): Promise<Response> {
    const url = this.#base + assetKey(workspace, place);
    try {
      return await this.#client.fetch(url, init);
    } catch (cause) {
      throw new AssetsUnavailable('the store of assets cannot be reached', { cause });
    }
  }
}

async function* received(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw new AssetsUnavailable('the store of assets broke off', { cause });
  }
}
