import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import { openEventStoreLog } from '../../libs/event-log/eventstoredb/eventstore-log.ts';
import { openReadDb, type ReadDb } from '../../libs/read-db/read-db.ts';
import { EventStoreDouble } from '../doubles/eventstoredb/server.ts';
import { foundWorkspace } from '../support/found-workspace.ts';
import { startPostgres } from '../support/postgres.ts';
import { startOwnRedis } from '../support/redis.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { callFrom, rowsOf } from '../support/traces.ts';

jest.setTimeout(240_000);

interface Somebody {
  readonly id: string;
  readonly token: string;
  readonly tokenId: string;
  readonly traces: readonly string[];
}

describe('erasing a person, several processes over EventStoreDB (its double), Redis and PostgreSQL', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-erase-several-'));
  const ending: (() => Promise<unknown>)[] = [];
  let env: Record<string, string> & { DATA_DIR: string };
  let one: ServerProcess;
  let two: ServerProcess;
  let operator: string;
  let redis: Redis;
  let readDb: ReadDb;
  let stored: EventLog;

  const call = (server: ServerProcess, method: string, path: string, body?: object): Promise<Response> =>
    fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const made = async (path: string, body: object): Promise<{ id: string; token: string }> => {
    const answer = await call(one, 'POST', path, body);
    expect(answer.status).toBe(201);
    return (await answer.json()) as { id: string; token: string };
  };
  /** Known to both processes: each has sealed and opened something of theirs. */
  const somebody = async (word: string, host: number): Promise<Somebody> => {
    const [name, label, address, client] = [`Pat ${word}`, `${word}-laptop`, `127.0.0.${host}`, `${word}-client/1.0`];
    const { id } = await made('/api/v1/admin/people', { name });
    const scopes = ['reports:read', 'reports:write'];
    const token = await made('/api/v1/tokens', { catalogue: 'comma', name: label, scopes, owner: id });
    const from = { address, client, token: token.token };
    for (const server of [one, two]) {
      expect(await callFrom(server, from, 'POST', '/api/v1/reports', { title: 'Plans' })).toBe(201);
      expect(await callFrom(server, from, 'GET', '/api/v1/reports')).toBe(200);
    }
    return { id, token: token.token, tokenId: token.id, traces: [name, label, address, client] };
  };
  const erase = (server: ServerProcess, { id }: Somebody): Promise<Response> =>
    call(server, 'POST', `/api/v1/admin/people/${id}/erase`, { confirm: id, revoke_tokens: true });

  /** What processes answer, and what lies in Redis and in PostgreSQL. */
  const everywhere = async ({ tokenId }: Somebody): Promise<string> => {
    const paths = ['/api/v1/admin/people', `/api/v1/tokens/${tokenId}`, `/api/v1/tokens/${tokenId}/history?limit=200`];
    const texts: string[] = [];
    for (const server of [one, two])
      for (const path of [...paths, '/api/v1/audit?limit=200', '/api/v1/audit/export?format=csv'])
        texts.push(await (await call(server, 'GET', path)).text());
    for (const key of await redis.keys('*')) {
      if ((await redis.type(key)) === 'hash') texts.push(JSON.stringify(await redis.hgetall(key)));
    }
    return [...texts, await rowsOf(readDb)].join('\n');
  };
  /** Ends with the test's time where some trace stays. */
  const untilGone = async (person: Somebody): Promise<void> => {
    for (let shown = await everywhere(person); person.traces.some((trace) => shown.includes(trace));) {
      await sleep(500);
      shown = await everywhere(person);
    }
  };

  beforeAll(async () => {
    const double = new EventStoreDouble();
    await double.start();
    ending.push(async () => double.stop());
    const cache = await startOwnRedis('erasure over several processes');
    ending.push(() => cache.stop());
    const [postgres, keys] = await Promise.all([
      startPostgres('erasure over several processes'),
      startPostgres('erasure over several processes: keys'),
    ]);
    ending.push(
      () => postgres.stop(),
      () => keys.stop(),
    );
    env = {
      EVENTSTORE_URL: double.connectionString,
      REDIS_URL: cache.url,
      DATABASE_URL: postgres.url,
      PERSON_KEYS_URL: keys.url,
      ASSETS_URL: `file://${dataDir}/shared-assets`,
      DATA_DIR: dataDir,
    };
    operator = await foundWorkspace(env);
    [one, two] = await Promise.all([startServerProcess(env), startServerProcess(env)]);
    ending.push(() => Promise.all([one.stop(), two.stop()]));
    redis = new Redis(cache.url);
    ending.push(async () => redis.disconnect());
    readDb = await openReadDb({ databaseUrl: postgres.url });
    ending.push(() => readDb.close());
    stored = await openEventStoreLog({ connectionString: double.connectionString });
    ending.push(() => stored.close());
  });
  afterAll(async () => {
    for (const end of ending.toReversed()) await end();
    rmSync(dataDir, { recursive: true });
  }, 120_000);

  it('P2 P6 what one erases is gone on every other, in Redis and in PostgreSQL; who stays is as they were', async () => {
    const [ada, bo] = [await somebody('quillfeather', 81), await somebody('thistlewood', 82)];
    const before = await everywhere(ada);
    for (const trace of ada.traces) expect(before).toContain(trace);
    expect((await erase(one, ada)).status).toBe(200);
    const headers = { authorization: `Bearer ${ada.token}` };
    expect((await fetch(`${two.url}/api/v1/me`, { headers })).status).toBe(401);
    await untilGone(ada);
    const after = await everywhere(bo);
    for (const trace of bo.traces) expect(after).toContain(trace);
    // The log never said it: not before the erasure, nor since.
    const log = JSON.stringify(await Array.fromAsync(stored.readAll()));
    for (const trace of [...ada.traces, ...bo.traces]) expect(log).not.toContain(trace);
  });

  it('P6 killed at any moment, it is finished by asking again, whoever is asked', async () => {
    for (const [round, delayMs] of [2, 15, 40, 120].entries()) {
      const person = await somebody(`larkspur${round}`, 90 + round);
      const asked = erase(one, person).catch(() => null);
      await sleep(delayMs);
      one.child.kill('SIGKILL');
      await once(one.child, 'exit');
      await asked;
      one = await startServerProcess(env);
      expect((await erase(two, person)).status).toBe(200);
      await untilGone(person);
    }
  });
});
