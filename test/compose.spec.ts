import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { readSettings } from '../libs/settings/settings.ts';
import { notRan, ran } from './support/coverage-report.ts';
import { EVENTSTORE_IMAGE } from './support/eventstore.ts';

interface Service {
  readonly build?: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: Readonly<Record<'init' | 'api' | 'eventstore' | 'redis' | 'postgres' | 'keys', Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

const text = readFileSync('docker-compose.yml', 'utf8');
const { services, networks } = parse(text, { merge: true }) as Compose;
const stores = ['eventstore', 'redis', 'postgres', 'keys'] as const;
const secrets = { KEYS_PASSWORD: 'k', POSTGRES_PASSWORD: 'p', REDIS_PASSWORD: 'r' };

describe('docker-compose.yml', () => {
  it.each(['init', 'api'] as const)('gives %s settings it knows, and which it starts with', (name) => {
    const given = interpolated(services[name].environment);
    const asked = new Set<string | symbol>();
    const settings = readSettings(new Proxy(given, { get: (env, key: string) => (asked.add(key), env[key]) }));
    expect(Object.keys(given).filter((key) => !asked.has(key))).toEqual([]);
    expect(settings).toMatchObject({
      eventStoreUrl: 'esdb://eventstore:2113?tls=false',
      redisUrl: 'redis://:r@redis:6379',
      databaseUrl: 'postgres://writ:p@postgres:5432/writ',
      personKeysUrl: 'postgres://writ:k@keys:5432/writ',
      dataDir: '/data',
      assets: { kind: 'folder', path: '/data/assets' },
    });
  });

  it('names the hosts and ports its own services have', () => {
    const { EVENTSTORE_URL, REDIS_URL, DATABASE_URL, PERSON_KEYS_URL } = interpolated(services.api.environment);
    const hosts = [EVENTSTORE_URL, REDIS_URL, DATABASE_URL, PERSON_KEYS_URL].map((url) => new URL(url ?? '').hostname);
    expect(hosts).toEqual(stores);
  });

  it('pins every image, as the Dockerfile does, and tests the EventStoreDB it runs', () => {
    const bases = [...readFileSync('Dockerfile', 'utf8').matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    for (const image of [...Object.values(services).map((service) => service.image), ...bases]) {
      expect(image).toMatch(/:\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
    }
    expect(services.eventstore.image).toBe(EVENTSTORE_IMAGE);
  });

  it('starts each after what it needs is healthy, and `writ init` once before all of api', () => {
    for (const name of ['api', ...stores] as const) expect(services[name].healthcheck?.test.length).toBeGreaterThan(1);
    expect(services.init.command?.slice(1)).toEqual(['dist/apps/cli/main.js', 'init']);
    expect(Object.keys(services.init.depends_on ?? {})).toEqual(['eventstore', 'keys']);
    const healthy = Object.fromEntries(stores.map((name) => [name, { condition: 'service_healthy' }]));
    expect(services.api.depends_on).toEqual({ ...healthy, init: { condition: 'service_completed_successfully' } });
    expect(services.api.healthcheck?.test.join(' ')).toContain('/health/ready');
  });

  it('leaves a port for each of several api processes', () => {
    const [, first, last] = /^127\.0\.0\.1:(\d+)-(\d+):3000$/.exec(services.api.ports?.[0] ?? '') ?? [];
    expect(Number(last) - Number(first)).toBeGreaterThanOrEqual(2);
    expect(services.api.environment['PORT']).toBe(3000);
  });

  it('P4 runs a Redis that forgets no token for want of memory', () => {
    const command = services.redis.command ?? [];
    expect(command[command.indexOf('--maxmemory-policy') + 1]).toBe('noeviction');
  });

  it('keeps the stores to a network nothing leaves, EventStoreDB has no password', () => {
    expect(services.eventstore.environment).toMatchObject({
      EVENTSTORE_INSECURE: 'true',
      EVENTSTORE_CLUSTER_SIZE: '1',
    });
    for (const name of stores) {
      expect(services[name].ports).toBeUndefined();
      for (const network of services[name].networks) expect(networks[network]?.internal).toBe(true);
    }
  });

  it('holds no secret: each comes from the environment, is required, and stands in .env.example', () => {
    const required = new Set([...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name));
    expect([...required].toSorted()).toEqual(Object.keys(secrets));
    const values = Object.values(services).flatMap(({ environment = {}, command = [] }) => [
      ...Object.entries(environment)
        .filter(([key]) => /PASSWORD|AUTH/.test(key))
        .map(([, value]) => String(value)),
      ...Object.values(environment).flatMap((value) => /:([^:@/]*|\$\{.*\})@/.exec(String(value))?.[1] ?? []),
      ...command.filter((_word, index) => command[index - 1] === '--requirepass'),
    ]);
    expect(values.length).toBeGreaterThan(5);
    for (const value of values) expect(value).toMatch(/^\$\{\w+:\?[^}]+\}$/);
    const example = readFileSync('.env.example', 'utf8');
    for (const name of required) expect(example).toMatch(new RegExp(`^# ${name}=$`, 'm'));
  });

  it('is what `docker compose` understands, where there is one', async () => {
    const compose = (...words: string[]) =>
      promisify(execFile)('docker', ['compose', ...words], { env: { ...process.env, ...secrets } });
    const there = await compose('version').then(
      () => true,
      () => false,
    );
    if (!there) return notRan('docker-compose.yml as docker reads it', 'there is no `docker compose` on this machine');
    const { stdout } = await compose('config', '--format', 'json');
    expect(Object.keys((JSON.parse(stdout) as Compose).services).toSorted()).toEqual(Object.keys(services).toSorted());
    await ran('docker-compose.yml', '`docker compose config`');
  });
});

/** What compose puts for `${NAME:?…}` and `${NAME:-default}`. */
function interpolated(environment: Service['environment']): Record<string, string | undefined> {
  const values: Record<string, string> = secrets;
  return Object.fromEntries(
    Object.entries(environment).map(([key, value]) => [
      key,
      String(value).replaceAll(
        /\$\{(\w+)(?::[?-]([^}]*))?\}/g,
        (_all, name: string, otherwise: string) => values[name] ?? otherwise,
      ),
    ]),
  );
}
