import { describe, expect, it } from '@jest/globals';
import { readSettings } from './settings.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };

describe('settings', () => {
  it('have a default each', () => {
    expect(readSettings({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      dataDir: './data',
      eventStoreUrl: null,
      redisUrl: null,
      databaseUrl: null,
      personKeysUrl: null,
      publicUrl: 'http://127.0.0.1:3000',
      cataloguesFolder: null,
      assets: null,
      sample: true,
      allowedHosts: [],
      leadsProjections: true,
      signingKeyFile: null,
      witnesses: [],
      scheduledExport: null,
      archiveFolder: null,
      usageMaxAgeDays: null,
      siem: [],
    });
  });

  it('an address of IPv6 stands in brackets in a URL', () => {
    expect(readSettings({ HOST: '::1' }).publicUrl).toBe('http://[::1]:3000');
  });

  it('leaves the read models to projectors where told to, which PGlite cannot be shared with', () => {
    const elsewhere = { PROJECTIONS: 'elsewhere', DATABASE_URL: 'postgres://writ@localhost/writ' };
    expect(readSettings(elsewhere).leadsProjections).toBe(false);
    expect(() => readSettings({ PROJECTIONS: 'elsewhere' })).toThrow(/DATABASE_URL must be set/);
    expect(() => readSettings({ PROJECTIONS: 'there' })).toThrow(/here or elsewhere/);
  });

  it('archives usage that is older than it is told, in a folder that all processes share', () => {
    expect(readSettings({ USAGE_MAX_AGE_DAYS: '90' })).toMatchObject({ usageMaxAgeDays: 90, archiveFolder: null });
    for (const days of ['6', '-1', '1.5', 'ever'])
      expect(() => readSettings({ USAGE_MAX_AGE_DAYS: days })).toThrow(/number of days, 7 at least/);
    const shared = {
      EVENTSTORE_URL: 'esdb://localhost:2113',
      REDIS_URL: 'redis://localhost',
      DATABASE_URL: 'postgres://localhost/writ',
      PERSON_KEYS_URL: 'postgres://localhost/keys',
      ASSETS_URL: 'file:///srv/assets',
      USAGE_MAX_AGE_DAYS: '90',
    };
    expect(() => readSettings(shared)).toThrow(/ARCHIVE_FOLDER must be too/);
    expect(readSettings({ ...shared, ARCHIVE_FOLDER: '/srv/archives' }).archiveFolder).toBe('/srv/archives');
  });

  it('further names of the server are listed', () => {
    expect(readSettings({ ALLOWED_HOSTS: 'writ.internal, [fd00::1]' }).allowedHosts).toEqual([
      'writ.internal',
      '[fd00::1]',
    ]);
  });

  it('exports into a folder, and pushes to a SIEM, where told to', () => {
    expect(readSettings({ EXPORT_FOLDER: '/srv/exports' }).scheduledExport).toEqual({
      folder: '/srv/exports',
      every: '@daily',
      format: 'jsonl',
    });
    const { siem } = readSettings({
      SIEM_OTLP_URL: 'https://otel.example.com/v1/logs',
      SIEM_OTLP_HEADERS: 'authorization=Bearer%20abc, x-team=audit',
      SIEM_SYSLOG_URL: 'syslog+tls://siem.example.com:6514',
    });
    expect(siem).toEqual([
      {
        kind: 'otlp',
        url: 'https://otel.example.com/v1/logs',
        headers: { authorization: 'Bearer abc', 'x-team': 'audit' },
      },
      { kind: 'syslog', host: 'siem.example.com', port: 6514, tls: true },
    ]);
    expect(readSettings({ SIEM_SYSLOG_URL: 'syslog+tcp://[::1]' }).siem).toEqual([
      { kind: 'syslog', host: '::1', port: 601, tls: false },
    ]);
  });

  it.each([
    ['file:///srv/our%20assets', { kind: 'folder', path: '/srv/our assets' }],
    [
      's3://bucket',
      { bucket: 'bucket', prefix: '', region: 'us-east-1', endpoint: 'https://s3.us-east-1.amazonaws.com' },
    ],
    [
      's3://my.bucket/writ/assets/?region=eu-central-1&endpoint=http://127.0.0.1:9000',
      { bucket: 'my.bucket', prefix: 'writ/assets/', region: 'eu-central-1', endpoint: 'http://127.0.0.1:9000' },
    ],
  ])('keep assets at %s', (ASSETS_URL, place) => {
    expect(readSettings({ ASSETS_URL, ...KEYS }).assets).toMatchObject(place);
  });

  it.each([
    [{ PORT: 'http' }, /^PORT must be a number/],
    [{ PORT: '70000' }, /^PORT must be a number/],
    [{ DATABASE_URL: 'mysql://x' }, /^DATABASE_URL must begin with postgres:\/\/ or postgresql:\/\//],
    [{ ALLOWED_HOSTS: 'writ.internal:3000' }, /^ALLOWED_HOSTS must be host names without port/],
    [{ PUBLIC_URL: 'writ.example.com' }, /^PUBLIC_URL must begin with http/],
    [{ EVENTSTORE_URL: 'esdb://localhost' }, /^EVENTSTORE_URL is set, so REDIS_URL and DATABASE_URL must be too/],
    [
      { EVENTSTORE_URL: 'esdb://localhost', REDIS_URL: 'redis://localhost', DATABASE_URL: 'postgres://localhost' },
      /^EVENTSTORE_URL is set, so ASSETS_URL must be too/,
    ],
    [
      {
        EVENTSTORE_URL: 'esdb://localhost',
        REDIS_URL: 'redis://localhost',
        DATABASE_URL: 'postgres://localhost',
        ASSETS_URL: 'file:///srv/assets',
      },
      /^EVENTSTORE_URL is set, so PERSON_KEYS_URL must be too/,
    ],
    [{ ASSETS_URL: '/srv/assets' }, /^ASSETS_URL must be like s3:/],
    [{ ASSETS_URL: 'file://host/srv/assets' }, /^ASSETS_URL must be like s3:/],
    [{ ASSETS_URL: 'file:///' }, /^ASSETS_URL must be like s3:/],
    [{ ASSETS_URL: 's3://' }, /^ASSETS_URL must be like s3:/],
    [{ ASSETS_URL: 's3://bucket' }, /^ASSETS_URL names a bucket, so AWS_ACCESS_KEY_ID/],
    [{ ASSETS_URL: 's3://bucket?acl=public', ...KEYS }, /^ASSETS_URL knows region and endpoint, not acl/],
    [{ ASSETS_URL: 's3://bucket?endpoint=minio', ...KEYS }, /^The endpoint in ASSETS_URL/],
    [{ EXPORT_EVERY: '@daily' }, /^EXPORT_EVERY is set, so EXPORT_FOLDER must be too/],
    [{ EXPORT_FOLDER: '/srv/exports', EXPORT_EVERY: 'daily' }, /^EXPORT_EVERY must be five fields/],
    [
      { EXPORT_FOLDER: '/srv/exports', EXPORT_FORMAT: 'xml' },
      /^EXPORT_FORMAT must be jsonl, csv or cloudevents, not xml/,
    ],
    [{ SIEM_OTLP_URL: 'otel.example.com' }, /^SIEM_OTLP_URL must begin with http:\/\/ or https:\/\//],
    [{ SIEM_OTLP_URL: 'https://x/v1/logs', SIEM_OTLP_HEADERS: 'Bearer abc' }, /^SIEM_OTLP_HEADERS must be like/],
    [{ SIEM_SYSLOG_URL: 'udp://siem:514' }, /^SIEM_SYSLOG_URL must be like syslog\+tcp/],
  ])('wrong ones stop the start with one sentence: %j', (env, message) => {
    expect(() => readSettings(env)).toThrow(message);
  });
});
