import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { foundWorkspace } from '../support/found-workspace.ts';
import type { OwnRedis } from '../support/redis.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { type SharedParts, startSharedParts } from '../support/shared-parts.ts';

jest.setTimeout(120_000);

describe('two API processes over EventStoreDB (its double), Redis and PostgreSQL', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-several-'));
  const ending: (() => Promise<unknown>)[] = [];
  let env: SharedParts['env'];
  let one: ServerProcess;
  let two: ServerProcess;
  let operator: string;
  let redis: OwnRedis;

  const call = (server: ServerProcess, path: string, token: string, init: RequestInit = {}): Promise<Response> =>
    fetch(server.url + path, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
  const create = async (body: object): Promise<{ id: string; token: string }> => {
    const answer = await call(one, '/api/v1/tokens', operator, { method: 'POST', body: JSON.stringify(body) });
    expect(answer.status).toBe(201);
    return (await answer.json()) as { id: string; token: string };
  };

  beforeAll(async () => {
    const parts = await startSharedParts('several processes', dataDir);
    ending.push(parts.stop);
    ({ env, redis } = parts);
  });
  afterAll(async () => {
    for (const end of ending.toReversed()) await end();
    rmSync(dataDir, { recursive: true });
  });

  it('a wrong address founds no new world: the start is refused until `writ init`', async () => {
    await expect(startServerProcess(env)).rejects.toThrow(/This log has no workspace yet/);
    operator = await foundWorkspace(env);
    [one, two] = await Promise.all([startServerProcess(env), startServerProcess(env)]);
    ending.push(
      () => one.stop(),
      () => two.stop(),
    );
  });

  it('P2 what one revokes is dead on the other, on the very next call', async () => {
    const { id, token } = await create({ catalogue: 'comma', name: 'doomed', scopes: ['reports:read'] });
    expect((await call(two, '/api/v1/me', token)).status).toBe(200);
    expect((await call(one, `/api/v1/tokens/${id}`, operator, { method: 'DELETE' })).status).toBe(200);
    expect((await call(two, '/api/v1/me', token)).status).toBe(401);
  });

  it('P3 a limit is one, whichever process is asked', async () => {
    const { token } = await create({
      catalogue: 'comma',
      name: 'thirty',
      scopes: ['reports:read'],
      limits: { reads: { per_minute: 30 } },
    });
    const answers = await Promise.all(
      Array.from({ length: 80 }, (_, index) => call(index % 2 === 0 ? one : two, '/api/v1/me', token)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(30);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(50);
  });

  it('P3 a workspace’s ceiling is one, whichever process and token, and outlives a Redis that lost everything', async () => {
    const reads = 45;
    const tokens = await Promise.all(
      ['a', 'b', 'c'].map((name) => create({ catalogue: 'comma', name, scopes: ['reports:read'] })),
    );
    const ceiling = (server: ServerProcess, per_minute: number | null): Promise<Response> => {
      const body = JSON.stringify({ reads: { per_minute } });
      return call(server, '/api/v1/admin/workspace/limits', operator, { method: 'PATCH', body });
    };
    const statuses = async (calls: number): Promise<number[]> => {
      const answers = Array.from({ length: calls }, (_, index) =>
        call(index % 2 === 0 ? one : two, '/api/v1/me', tokens[index % 3]!.token),
      );
      return (await Promise.all(answers)).map(({ status }) => status);
    };
    // Both have looked all three up before there was a ceiling.
    expect(new Set(await statuses(6))).toEqual(new Set([200]));
    expect((await ceiling(one, reads)).status).toBe(200);
    const answered = await statuses(120);
    expect(answered.filter((status) => status === 200)).toHaveLength(reads);
    expect(answered.filter((status) => status === 429)).toHaveLength(120 - reads);

    await redis.restart();
    let after = await statuses(6);
    for (; after.includes(503); after = await statuses(6)) {
      expect(after).not.toContain(200);
      await sleep(200);
    }
    expect(after).toEqual(Array(6).fill(429));
    expect((await ceiling(two, null)).status).toBe(200);
    expect(new Set(await statuses(6))).toEqual(new Set([200]));
  });

  it('P2 routines are shared: each run is done once, by either, and its token’s end is seen on both', async () => {
    const scopes = ['reports:read', 'reports:write', 'routines:write'];
    const { id, token } = await create({ catalogue: 'comma', name: 'nightly', scopes });
    const post = async (server: ServerProcess, path: string, body: object = {}) =>
      (await (await call(server, path, token, { method: 'POST', body: JSON.stringify(body) })).json()) as {
        id: string;
      };
    const routine = await post(one, '/api/v1/routines', {
      name: 'Shared',
      schedule: { cron: '@yearly', time_zone: 'UTC' },
      steps: [{ operation: 'create_report', input: { title: { $from: 'run.id' } } }],
    });
    const path = `/api/v1/routines/${routine.id}`;
    const asked = await Promise.all([one, two, one, two].map((server) => post(server, `${path}/run`)));
    const statuses = async (): Promise<string[]> => {
      const answer = await call(two, `${path}/runs`, token);
      // Asked without a position, it may not know the routine yet.
      if (!answer.ok) return [];
      const page = (await answer.json()) as { items: { status: string }[] };
      return page.items.map(({ status }) => status);
    };
    while ((await statuses()).filter((status) => status === 'succeeded').length < asked.length) await sleep(500);
    // Another read model, which may be later than that of the runs.
    const titles = async (): Promise<string[]> => {
      const answer = await call(two, '/api/v1/reports?limit=200', token);
      const page = (await answer.json()) as { items?: { title: string }[] };
      return page.items?.map(({ title }) => title) ?? [];
    };
    let found = await titles();
    for (; !asked.every(({ id: run }) => found.includes(run)); found = await titles()) await sleep(500);
    expect(asked.map((run) => found.filter((title) => title === run.id))).toEqual(asked.map((run) => [run.id]));
    await call(one, `/api/v1/tokens/${id}`, operator, { method: 'DELETE' });
    const pause = async (server: ServerProcess): Promise<unknown> =>
      ((await (await call(server, `/api/v1/admin/routines/${routine.id}`, operator)).json()) as { pause: unknown })
        .pause;
    for (const server of [one, two]) while ((await pause(server)) === null) await sleep(200);
    expect(await pause(two)).toMatchObject({ reason: 'token_revoked' });
  });

  it('P1 P2 P3 a process killed takes nothing with it', async () => {
    const { id, token } = await create({
      catalogue: 'comma',
      name: 'survivor',
      scopes: ['reports:read', 'reports:write'],
    });
    const written = await call(one, '/api/v1/reports', token, {
      method: 'POST',
      body: JSON.stringify({ title: 'Kept' }),
    });
    const requestId = written.headers.get('x-request-id');
    one.child.kill('SIGKILL');
    await once(one.child, 'exit');
    expect((await call(two, '/api/v1/me', token)).status).toBe(200);
    const history = (await (await call(two, `/api/v1/tokens/${id}/history`, operator)).json()) as {
      items: { data: { request_id?: string } }[];
    };
    expect(history.items.map(({ data }) => data.request_id)).toContain(requestId);
    one = await startServerProcess(env);
    expect((await call(one, '/api/v1/reports', token)).status).toBe(200);
  });
});
