import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writ } from '../support/cli.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';

describe('operators look at, rebuild and verify the read models while the server answers', () => {
  let server: TestServer;
  let env: NodeJS.ProcessEnv;
  let comma: string;

  const run = (...args: string[]) => writ(['projections', ...args], env);

  beforeAll(async () => {
    server = await startServer();
    env = { WRIT_URL: server.url, WRIT_TOKEN: server.operator };
    ({ token: comma } = await createToken(server, { catalogue: 'comma', scopes: ['reports:read', 'reports:write'] }));
    for (let n = 0; n < 5; n++) {
      const body = { title: `Report ${n}`, body: '' };
      const made = await server.call('POST', '/api/v1/reports', { token: comma, body });
      expect(made.status).toBe(201);
    }
  }, 120_000);
  afterAll(() => server.close());

  it('lists them all, each with how far it is', async () => {
    const { exit, out } = await run('list');
    expect(exit).toBe(0);
    for (const name of server.parts.views.map((view) => view.name)) expect(out).toMatch(new RegExp(`^${name} `, 'm'));
  }, 60_000);

  it('P6 rebuilds every one of them, each then being what the log says', async () => {
    for (const { name } of server.parts.views) {
      const rebuilt = await run('rebuild', name);
      expect([name, rebuilt.exit, rebuilt.err]).toEqual([name, 0, '']);
      const answer = await server.call('GET', '/api/v1/reports', { token: comma });
      expect(answer.body['items']).toHaveLength(5);
      const verified = await run('verify', name);
      expect([name, verified.exit, verified.out]).toEqual([name, 0, expect.stringMatching(/^same: /)]);
    }
  }, 300_000);

  it('says what cannot be done, and to whom it is not allowed', async () => {
    expect(await run('status', 'nonsense')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('no such projection'),
    });
    expect(await run('status', 'No/Name')).toMatchObject({ exit: 2 });
    expect(await run('rebuild', 'reports', '--stop')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('No rebuild'),
    });
    expect(await run('retry', 'reports', 'report-x')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('not parked'),
    });
    const reader = await createToken(server, { catalogue: 'writ', scopes: ['audit:read'] });
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/reports'],
      ['POST', '/reports/rebuild'],
      ['POST', '/reports/stop'],
      ['POST', '/reports/verify'],
      ['POST', '/reports/retry'],
    ] as const) {
      const answer = await server.call(method, `/api/v1/admin/projections${path}`, { token: reader.token });
      expect([path, answer.status]).toEqual([path, 403]);
    }
  }, 60_000);
});
