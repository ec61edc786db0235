import type { S3Place } from '../assets/s3/s3-store.ts';
import { SettingsMistake } from './settings-mistake.ts';

/** Where uploaded files are kept. */
export type AssetsPlace = { readonly kind: 'folder'; readonly path: string } | S3Place;

/**
 * `file:///shared/assets`, or `s3://bucket/prefix?region=eu-central-1&endpoint=https://minio.example.com` with the
 * usual `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` beside it. Region `us-east-1` and AWS's own endpoint when not
 * given. @throws SettingsMistake
 */
export function readAssetsUrl(env: NodeJS.ProcessEnv): AssetsPlace | null {
  const text = env['ASSETS_URL'];
  if (text === undefined || text === '') return null;
  const url = URL.parse(text);
  if (url?.protocol === 'file:' && url.host === '' && url.pathname.length > 1) {
    return { kind: 'folder', path: decodeURIComponent(url.pathname) };
  }
  if (url?.protocol !== 's3:' || url.host === '') {
    throw new SettingsMistake('ASSETS_URL must be like s3://bucket/prefix?region=… or file:///a/shared/folder.');
  }
  const unknown = [...url.searchParams.keys()].find((key) => key !== 'region' && key !== 'endpoint');
  if (unknown !== undefined) throw new SettingsMistake(`ASSETS_URL knows region and endpoint, not ${unknown}.`);
  const accessKeyId = env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
  if (!accessKeyId || !secretAccessKey) {
    throw new SettingsMistake('ASSETS_URL names a bucket, so AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set.');
  }
  const region = url.searchParams.get('region') || 'us-east-1';
  const endpoint = url.searchParams.get('endpoint') || `https://s3.${region}.amazonaws.com`;
  if (!/^https?:\/\/[^/?#]+\/?$/.test(endpoint)) {
    throw new SettingsMistake('The endpoint in ASSETS_URL must be like https://minio.example.com.');
  }
  const prefix = url.pathname.replaceAll(/^\/+|\/+$/g, '');
  return {
    kind: 's3',
    bucket: url.host,
    prefix: prefix === '' ? '' : `${prefix}/`,
    region,
    endpoint,
    accessKeyId,
    secretAccessKey,
    sessionToken: env['AWS_SESSION_TOKEN'] || null,
  };
}
