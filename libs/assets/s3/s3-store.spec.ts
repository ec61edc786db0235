import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { assetStoreContract } from '../../../test/contract/asset-store.contract.ts';
import { S3Double } from '../../../test/doubles/s3/s3-double.ts';
import { AssetsUnavailable } from '../asset-store.ts';
import { S3AssetStore, type S3Place } from './s3-store.ts';

const placeOf = (double: S3Double): S3Place => ({
  kind: 's3',
  bucket: 'bucket',
  prefix: 'some/where/',
  region: 'eu-central-1',
  endpoint: double.url,
  sessionToken: null,
  ...double.credentials,
});

assetStoreContract('S3 (a double that checks signatures)', async () => {
  const double = new S3Double();
  await double.start();
  const scratch = await mkdtemp(join(tmpdir(), 'writ-s3-'));
  const spooled = async (): Promise<number> =>
    (await readdir(scratch, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;
  return {
    store: new S3AssetStore(placeOf(double), scratch),
    kept: async () => double.objects.size + (await spooled()),
    damage: async () => {
      for (const bytes of double.objects.values()) bytes[0]! ^= 1;
    },
    breakDown: () => double.stop(),
    close: async () => {
      await double.stop();
      await rm(scratch, { recursive: true });
    },
  };
});

describe('the S3 store', () => {
  let double: S3Double;
  let scratch: string;
  beforeEach(async () => {
    double = new S3Double();
    await double.start();
    scratch = await mkdtemp(join(tmpdir(), 'writ-s3-'));
  });
  afterEach(async () => {
    await double.stop();
    await rm(scratch, { recursive: true });
  });

  async function* hello(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('hello');
  }

  it('tries again what the store was too busy for', async () => {
    const store = new S3AssetStore(placeOf(double), scratch);
    double.failing = 1;
    const { sha256, place } = await store.put('w1', hello());
    double.failing = 1;
    await store.remove('w1', place);
    const path = `/bucket/some/where/w1/${sha256.slice(0, 2)}/${place}`;
    expect(double.requests).toEqual([`PUT ${path}`, `PUT ${path}`, `DELETE ${path}`, `DELETE ${path}`]);
  });

  it.each([
    ['another key', { accessKeyId: 'nobody' }],
    ['another secret', { secretAccessKey: 'guessed' }],
  ])('is refused under %s', async (_, change) => {
    const store = new S3AssetStore({ ...placeOf(double), ...change }, scratch);
    await expect(store.put('w1', hello())).rejects.toThrow(new AssetsUnavailable('the store answered 403 to a PUT'));
    expect(double.objects.size).toBe(0);
  });
});
