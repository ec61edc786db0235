import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import type { MemoryHotView } from '../../libs/hot-view/memory/memory-hot-view.ts';
import { ceilingField, Keys, partitionOf } from '../../libs/hot-view/redis/keys.ts';
import { newTokenId } from '../../libs/tokens/token-id.ts';
import { recentUses } from '../../projections/hot-view/recent-uses.ts';
import { type CliRun, writ } from '../support/cli.ts';
import { type OwnRedis, startOwnRedis } from '../support/redis.ts';
import { type Answer, type Body, createToken, startServer, type TestServer } from '../support/server.ts';

jest.setTimeout(240_000);

const COMMA = { catalogue: 'comma', scopes: ['reports:read', 'reports:write'] };

describe('writ projections hot-view, in Redis', () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-hot-'));
  const keys = new Keys('writ');
  let redis: OwnRedis;
  let client: Redis;
  let server: TestServer;
  const run = (line: string): Promise<CliRun> =>
    writ(line.split(' '), { WRIT_URL: server.url, WRIT_TOKEN: server.operator, DATA_DIR: folder });
  const statusOf = async (token: string): Promise<number> => (await server.call('GET', '/api/v1/me', { token })).status;

  beforeAll(async () => {
    redis = await startOwnRedis('hot view: maintenance');
    client = new Redis(redis.url);
    server = await startServer({ redisUrl: redis.url });
  });
  afterAll(async () => {
    await server.close();
    client.disconnect();
    await redis.stop();
    rmSync(folder, { recursive: true });
  });

  it('P6 is listed, verified and rebuilt like any view', async () => {
    await createToken(server, COMMA);
    expect((await run('projections list')).out).toMatch(/^hot-view +1 +\d+ +0 +0 +follows the log$/m);
    const verified = await run('projections verify hot-view');
    expect(verified).toMatchObject({ exit: 0 });
    expect(verified.out).toMatch(/^same: \d+ rows up to position \d+/);
    expect(await run('projections rebuild hot-view')).toMatchObject({ exit: 0 });
    expect((await run('projections status hot-view')).out).toMatch(/^verified +same/m);
  });

  describe('what was changed by hand', () => {
    let agent: { readonly id: string; readonly token: string };
    const found = async (): Promise<string> => {
      const verified = await run('projections verify hot-view');
      expect(verified.exit).toBe(1);
      return verified.out;
    };
    const mended = async (): Promise<void> => {
      expect(await run('projections rebuild hot-view')).toMatchObject({ exit: 0 });
      expect(await run('projections verify hot-view')).toMatchObject({ exit: 0 });
    };
    const damage = (change: Readonly<Record<string, string | number>>) => client.hset(keys.token(agent.id), change);

    it('P2 P6 a revoked token made live is found, and dead again', async () => {
      agent = await createToken(server, COMMA);
      await server.call('DELETE', `/api/v1/tokens/${agent.id}?reason=by_hand`, { token: server.operator });
      expect(await statusOf(agent.token)).toBe(401);
      await damage({ status: 'active' });
      expect(await statusOf(agent.token)).toBe(200);
      expect(await found()).toContain(`different: tokens {"id":"${agent.id}"} differs in status;`);
      await mended();
      expect(await statusOf(agent.token)).toBe(401);
    });

    it('P3 P6 a limit that was raised is found, and holds again, with what was used of it', async () => {
      agent = await createToken(server, { ...COMMA, limits: { reads: { per_minute: 3 } } });
      for (let call = 0; call < 3; call++) expect(await statusOf(agent.token)).toBe(200);
      expect(await statusOf(agent.token)).toBe(429);
      await damage({ reads: 1_000 });
      expect(await statusOf(agent.token)).toBe(200);
      expect(await found()).toContain('differs in reads;');
      await mended();
      expect(await statusOf(agent.token)).toBe(429);
    });

    it('P6 a record of the same version is heard of by who has parsed the wrong one', async () => {
      agent = await createToken(server, COMMA);
      const record = (await client.hget(keys.token(agent.id), 'record')) ?? '';
      const forged = record.replace('"name":"test"', '"name":"forged"');
      await damage({ record: forged });
      const nameOf = async () => (await server.call('GET', '/api/v1/me', { token: agent.token })).body['name'];
      expect(await nameOf()).toBe('forged');
      expect(await found()).toContain('differs in record;');
      await mended();
      expect(await nameOf()).toBe('test');
    });

    it('P2 P6 a version from the future, which would outlive every revocation, is taken back', async () => {
      agent = await createToken(server, COMMA);
      await damage({ version: 9_999 });
      expect(await found()).toContain('differs in version;');
      await mended();
      await server.call('DELETE', `/api/v1/tokens/${agent.id}?reason=by_hand`, { token: server.operator });
      expect(await statusOf(agent.token)).toBe(401);
    });

    it('P6 a token that is missing, and one that no log knows', async () => {
      agent = await createToken(server, COMMA);
      const stranger = newTokenId(Date.now());
      await client.copy(keys.token(agent.id), keys.token(stranger));
      expect(await found()).toContain(`tokens {"id":"${stranger}"} is unexpected`);
      await mended();
      expect(await client.exists(keys.token(stranger))).toBe(0);
      await client.del(keys.token(agent.id));
      expect(await statusOf(agent.token)).toBe(401);
      expect(await found()).toContain(`tokens {"id":"${agent.id}"} is missing`);
      await mended();
      expect(await statusOf(agent.token)).toBe(200);
    });

    it('P6 a company’s limits', async () => {
      await client.hset(keys.companies(3), 'w/forged', '1 1000 1000');
      expect(await found()).toContain('companies {"company":"w/forged"} is unexpected');
      await mended();
      expect(await client.hexists(keys.companies(3), 'w/forged')).toBe(0);
    });

    it('P3 P6 a workspace’s ceiling that was raised in one partition', async () => {
      agent = await createToken(server, COMMA);
      const change = (reads: object) =>
        server.call('PATCH', '/api/v1/admin/workspace/limits', { token: server.operator, body: { reads } });
      const { workspace } = server.parts.founded;
      expect((await change({ per_minute: 100_000 })).status).toBe(200);
      expect(await statusOf(agent.token)).toBe(200);
      await client.hset(keys.header(partitionOf(agent.id)), ceilingField(workspace), '0  ');
      expect((await server.call('GET', '/api/v1/me', { token: agent.token })).body).not.toHaveProperty(
        'workspace_limits',
      );
      expect(await found()).toContain(`workspaces {"workspace":"${workspace}"} differs in limits;`);
      await mended();
      expect((await server.call('GET', '/api/v1/me', { token: agent.token })).body).toHaveProperty('workspace_limits');
      await change({ per_minute: null });
      const windows = (await client.getBuffer(keys.ceilingWindows(workspace)))!;
      await client.del(keys.ceilingWindows(workspace));
      expect(await found()).toContain(`different: windows {"workspace":"${workspace}","since":"`);
      await client.set(keys.ceilingWindows(workspace), windows, 'EX', 60);
      expect(await run('projections verify hot-view')).toMatchObject({ exit: 0 });
    });
  });

  it('P2 P3 P6 under live calls, creations and revocations nothing is refused, revived or given twice', async () => {
    const limited = await createToken(server, { ...COMMA, limits: { reads: { per_minute: 20 } } });
    const steady = await createToken(server, COMMA);
    const dead: string[] = [];
    const statuses: number[] = [];
    let admitted = 0;
    let over = false;
    const calling = (async () => {
      for (let round = 0; !over; round++) {
        statuses.push(await statusOf(steady.token));
        if ((await statusOf(limited.token)) === 200) admitted++;
        if (round % 5 !== 0) continue;
        const made = await createToken(server, COMMA);
        statuses.push(await statusOf(made.token));
        await server.call('DELETE', `/api/v1/tokens/${made.id}?reason=by_hand`, { token: server.operator });
        dead.push(made.token);
      }
    })();
    const startedMs = performance.now();
    const outcomes: number[] = [];
    for (let round = 0; round < 3; round++) {
      await client.hset(keys.token(steady.id), { name: 'x', status: 'active', writes: 7 + round });
      outcomes.push((await run('projections rebuild hot-view')).exit, (await run('projections verify hot-view')).exit);
    }
    const minutes = Math.ceil((performance.now() - startedMs) / 60_000);
    over = true;
    await calling;
    expect(outcomes).toEqual([0, 0, 0, 0, 0, 0]);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(admitted).toBeLessThanOrEqual(20 * (minutes + 1));
    expect(dead.length).toBeGreaterThan(0);
    for (const token of dead) expect(await statusOf(token)).toBe(401);
  });

  it('P3 P6 a window that was dropped is found, with both numbers; other calls’ are not blamed', async () => {
    const reading = await createToken(server, COMMA);
    const agent = await createToken(server, { ...COMMA, limits: { reads: { per_minute: 3 } } });
    for (let call = 0; call < 3; call++) expect(await statusOf(agent.token)).toBe(200);
    const write = { token: agent.token, body: { title: 'A write carries its use' } };
    expect((await server.call('POST', '/api/v1/reports', write)).status).toBe(201);
    expect(await statusOf(reading.token)).toBe(200);
    expect(await run('projections verify hot-view')).toMatchObject({ exit: 0 });

    await client.del(keys.windows(agent.id));
    expect(await statusOf(agent.token)).toBe(200);
    const verified = await run('projections verify hot-view');
    expect(verified.exit).toBe(1);
    expect(verified.out).toContain(`different: windows {"lineage":"${agent.id}","since":"`);
    expect(verified.out).toContain('differs in reads (4 in the log, 1 in the view);');
    const { body } = await server.call('GET', '/api/v1/admin/projections/hot-view', { token: server.operator });
    expect(body['verification']).toMatchObject({
      difference: { table: 'windows', key: { lineage: agent.id }, columns: ['reads'], counts: { log: 4, view: 1 } },
    });
  });
});

describe('writ projections hot-view, in memory', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-hot-'));
  let server: TestServer;
  const ask = (verb: string): Promise<Answer> =>
    server.call('POST', `/api/v1/admin/projections/hot-view/${verb}`, { token: server.operator, body: {} });
  async function settled(): Promise<Body> {
    for (;;) {
      const path = '/api/v1/admin/projections/hot-view';
      const { body } = await server.call('GET', path, { token: server.operator });
      const { rebuild, verification } = body as { rebuild: unknown; verification: { state: string } | null };
      if (rebuild === null && verification?.state !== 'running') return body;
    }
  }

  beforeEach(async () => {
    server = await startServer({ dataDir });
  });
  afterEach(() => server.close());
  afterAll(() => rmSync(dataDir, { recursive: true }));

  it('P6 a rebuild mends what differs, while it serves; stopped, it goes on', async () => {
    const agent = await createToken(server, COMMA);
    const { view } = server.parts;
    const held = await view.get(agent.id);
    await view.put([{ ...held!, version: held!.version + 2, name: 'never written' }]);
    expect(await ask('verify')).toMatchObject({ status: 202 });
    expect(await settled()).toMatchObject({
      verification: { state: 'different', difference: { table: 'tokens', key: { id: agent.id } } },
    });
    expect(await ask('rebuild')).toMatchObject({ status: 202 });
    await settled();
    expect((await view.get(agent.id))?.name).toBe('test');
    expect(await ask('stop')).toMatchObject({ status: 409 });
    await ask('verify');
    expect(await settled()).toMatchObject({ verification: { state: 'same' } });
  });

  it('P3 P6 windows are as the log says, counted anew after a restart too; lost ones are found', async () => {
    const agent = await createToken(server, COMMA);
    const statuses: number[] = [];
    for (const [method, path, body] of [
      ['GET', '/api/v1/me'],
      ['GET', '/api/v1/me'],
      ['POST', '/api/v1/reports', { title: 'A write carries its use' }],
      ['GET', '/api/v1/routines'],
    ] as const) {
      statuses.push((await server.call(method, path, { token: agent.token, body })).status);
    }
    expect(statuses).toEqual([200, 200, 201, 403]);
    await ask('verify');
    expect(await settled()).toMatchObject({ verification: { state: 'same' } });
    await server.close();

    server = await startServer({ dataDir });
    await ask('verify');
    expect(await settled()).toMatchObject({ verification: { state: 'same' } });

    const uses = (await Array.fromAsync(recentUses(server.log, Date.now()))).map(({ use }) => use);
    const others = uses.filter(({ token }) => token !== agent.id);
    (server.parts.view as MemoryHotView).refill(others.map((use) => ({ ...use, windowSecond: use.window_second })));
    expect((await server.call('GET', '/api/v1/me', { token: agent.token })).status).toBe(200);
    await ask('verify');
    expect(await settled()).toMatchObject({
      verification: {
        state: 'different',
        difference: { table: 'windows', key: { lineage: agent.id }, columns: ['reads'], counts: { log: 3, view: 1 } },
      },
    });
  });
});
