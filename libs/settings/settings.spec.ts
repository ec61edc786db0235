import { describe, expect, it } from '@jest/globals';
import { readSettings } from './settings.ts';

describe('settings', () => {
  it('have a default each', () => {
    expect(readSettings({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      dataDir: './data',
      eventStoreUrl: null,
      redisUrl: null,
      databaseUrl: null,
      publicUrl: 'http://127.0.0.1:3000',
      cataloguesFolder: null,
      allowedHosts: [],
    });
  });

  it('an address of IPv6 stands in brackets in a URL', () => {
    expect(readSettings({ HOST: '::1' }).publicUrl).toBe('http://[::1]:3000');
  });

  it('further names of the server are listed', () => {
    expect(readSettings({ ALLOWED_HOSTS: 'writ.internal, [fd00::1]' }).allowedHosts).toEqual([
      'writ.internal',
      '[fd00::1]',
    ]);
  });

  it.each([
    [{ PORT: 'http' }, /^PORT must be a number/],
    [{ PORT: '70000' }, /^PORT must be a number/],
    [{ DATABASE_URL: 'mysql://x' }, /^DATABASE_URL must begin with postgres:\/\/ or postgresql:\/\//],
    [{ ALLOWED_HOSTS: 'writ.internal:3000' }, /^ALLOWED_HOSTS must be host names without port/],
    [{ PUBLIC_URL: 'writ.example.com' }, /^PUBLIC_URL must begin with http/],
    [{ EVENTSTORE_URL: 'esdb://localhost' }, /^EVENTSTORE_URL is set, so REDIS_URL and DATABASE_URL must be too/],
  ])('wrong ones stop the start with one sentence: %j', (env, message) => {
    expect(() => readSettings(env)).toThrow(message);
  });
});
