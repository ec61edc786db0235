import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TokenUse, useOf } from '../../libs/usage/use.ts';
import { callTool, connectCurrent } from '../support/mcp.ts';
import { eventually, runsOf } from '../support/routines.ts';
import { type Answer, createToken, startServer, type TestServer } from '../support/server.ts';
import { tokenElsewhere } from '../support/token-elsewhere.ts';
import { makeProject } from '../support/toado.ts';

jest.setTimeout(120_000);

const PATH = '/api/v1/admin/workspace/limits';
const COMMA = { catalogue: 'comma', scopes: ['reports:read', 'reports:write'] };

describe('a workspace’s ceiling', () => {
  let server: TestServer;
  const folder = mkdtempSync(join(tmpdir(), 'writ-ceiling-'));
  let dataDir: string;

  const change = (body: unknown, headers: Record<string, string> = {}, token = server.operator): Promise<Answer> =>
    server.call('PATCH', PATH, { token, body, headers });
  const show = (token = server.operator): Promise<Answer> => server.call('GET', PATH, { token });
  const me = (token: string): Promise<Answer> => server.call('GET', '/api/v1/me', { token });
  const ceilingEvents = async (): Promise<object[]> =>
    (await server.events('workspace-'))
      .filter(({ type }) => type === 'WorkspaceCeilingChanged')
      .map(({ data }) => data as object);
  const usesOf = async (token: string): Promise<TokenUse[]> =>
    (await server.events()).flatMap((event) => useOf(event) ?? []).filter((use) => use.token === token);

  beforeEach(async () => {
    dataDir = mkdtempSync(join(folder, 'data-'));
    server = await startServer({ dataDir });
  });
  afterEach(async () => {
    await server.close();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('P3 is shared by all tokens of the workspace from the next call on, shown to each, and lifted', async () => {
    const [one, two] = [await createToken(server, COMMA), await createToken(server, COMMA)];
    expect(await show()).toMatchObject({
      status: 200,
      body: {
        id: server.parts.founded.workspace,
        limits: { reads: { per_minute: null, used: null }, writes: { per_minute: null, used: null } },
        version: null,
        by: null,
      },
    });
    expect((await me(one.token)).body).not.toHaveProperty('workspace_limits');

    const set = await change({ reads: { per_minute: 3 }, writes: { per_minute: 50 } });
    expect(set).toMatchObject({
      status: 200,
      body: {
        limits: { reads: { per_minute: 3, used: 0 }, writes: { per_minute: 50, used: 0 } },
        version: 0,
        by: { text: 'Operator (operator) · via REST · just now' },
      },
    });
    expect([set.headers.get('etag'), set.headers.has('x-log-position')]).toEqual(['"0"', true]);

    const first = await me(one.token);
    expect(first.body['workspace_limits']).toEqual({
      reads: { per_minute: 3, used: 1 },
      writes: { per_minute: 50, used: 0 },
    });
    expect(first.headers.get('ratelimit-policy')).toBe(
      '"reads";q=600;w=60, "writes";q=60;w=60, "workspace-reads";q=3;w=60, "workspace-writes";q=50;w=60',
    );
    expect(first.headers.get('ratelimit')).toMatch(
      /^"reads";r=598;t=61, "writes";r=60;t=0, "workspace-reads";r=2;t=61, "workspace-writes";r=50;t=0$/,
    );
    expect((await me(two.token)).status).toBe(200);
    expect((await show()).body['limits']).toMatchObject({ reads: { per_minute: 3, used: 3 } });

    const short = await me(two.token);
    expect(short).toMatchObject({
      status: 429,
      body: {
        code: 'too_many_requests',
        detail: 'The workspace’s ceiling of reads a minute is used up: its tokens share it.',
      },
    });
    const wait = Number(short.headers.get('retry-after'));
    expect([short.body['retry_after'], Number(short.headers.get('retry_after'))]).toEqual([wait, wait]);
    expect(wait).toBeGreaterThan(50);
    expect(short.headers.get('ratelimit')).toMatch(/"reads";r=599;t=\d+, .*"workspace-reads";r=0;t=\d+/);

    // Its operator is held up too, but not from lifting it.
    expect((await show()).status).toBe(429);
    expect((await change({ reads: null })).body['limits']).toEqual({
      reads: { per_minute: null, used: null },
      writes: { per_minute: 50, used: 0 },
    });
    expect((await me(two.token)).body['workspace_limits']).toEqual({
      reads: null,
      writes: { per_minute: 50, used: 0 },
    });
    await change({ writes: { per_minute: null } });
    expect((await me(two.token)).headers.get('ratelimit')).not.toContain('workspace');

    const uses = await usesOf(two.id);
    expect(uses.map(({ decision, reason, budget }) => [decision, reason, budget])).toEqual([
      ['allowed', null, 'reads'],
      ['refused', 'ceiling', 'refusals'],
      ['allowed', null, 'reads'],
      ['allowed', null, 'reads'],
    ]);
    expect(uses.map((use) => use.ceiling_second !== undefined)).toEqual([true, false, true, false]);
    expect(await ceilingEvents()).toMatchObject([
      { reads: 3, writes: 50 },
      { reads: null, writes: 50 },
      { reads: null, writes: null },
    ]);
  });

  it('P3 a restart refills it from what was recorded', async () => {
    const [one, two] = [await createToken(server, COMMA), await createToken(server, COMMA)];
    await me(one.token);
    await change({ reads: { per_minute: 4 }, writes: { per_minute: 2 } });
    for (const { token } of [one, two, one]) expect((await me(token)).status).toBe(200);
    const write = (token: string) => server.call('POST', '/api/v1/reports', { token, body: { title: 'Kept' } });
    expect((await write(one.token)).status).toBe(201);
    await server.close();
    server = await startServer({ dataDir });
    expect([(await me(two.token)).status, (await me(one.token)).status]).toEqual([200, 429]);
    expect([(await write(two.token)).status, (await write(one.token)).status]).toEqual([201, 429]);
  });

  it('P3 P7 is the same over MCP, and for each item of a bulk; handshakes are free', async () => {
    const { token } = await createToken(server, COMMA);
    await change({ writes: { per_minute: 5 } });
    const client = await connectCurrent(server.url, token);
    for (let look = 0; look < 10; look++) await client.listTools();
    expect(await callTool(client, 'create_report', { title: 'One' })).not.toHaveProperty('isError', true);
    const operator = await connectCurrent(server.url, server.operator);
    expect((await callTool(operator, 'get_workspace_limits', {})).structuredContent).toMatchObject({
      limits: { reads: { per_minute: null, used: null }, writes: { per_minute: 5, used: 1 } },
    });

    const { project, columns } = await makeProjectUnder(5);
    const toado = await createToken(server, { catalogue: 'toado', scopes: ['tickets:write', 'tickets:assign'] });
    const tickets: string[] = [];
    for (let made = 0; made < 4; made++) {
      const body = { project, title: `${made}` };
      tickets.push(String((await server.call('POST', '/api/v1/tickets', { token: toado.token, body })).body['id']));
    }
    await callTool(operator, 'change_workspace_limits', { writes: { per_minute: await usedAnd(3) } });
    const body = { tickets, project, column: columns[1], position: 'top' };
    const moved = await server.call('POST', '/api/v1/tickets/bulk-move', { token: toado.token, body });
    expect(moved.body).toMatchObject({ done: 3, remaining: [tickets[3]], retry_after: expect.any(Number) });

    const refused = await callTool(client, 'create_report', { title: 'Two' });
    expect(refused).toMatchObject({ isError: true, _meta: { 'writ/problem': { code: 'too_many_requests' } } });
    expect(refused.content[0]?.text).toMatch(/ceiling of writes .* Try again in \d+ s/);
    await client.close();
    await operator.close();
  });

  /** As many as are used, and so many more. */
  const usedAnd = async (more: number): Promise<number> => {
    const { writes } = (await show()).body['limits'] as { readonly writes: { readonly used: number } };
    return writes.used + more;
  };
  const makeProjectUnder = async (writes: number) => {
    await change({ writes: { per_minute: writes + 100 } });
    return await makeProject(server);
  };

  it('P3 a routine’s step waits for it', async () => {
    const routine = { name: 'Nightly', schedule: { cron: '@yearly', time_zone: 'UTC' } };
    const step = { operation: 'create_report', input: { title: { $from: 'run.id' } } };
    const scopes = [...COMMA.scopes, 'routines:write'];
    const { id, token } = await createToken(server, { ...COMMA, scopes });
    const made = await server.call('POST', '/api/v1/routines', { token, body: { ...routine, steps: [step, step] } });
    await change({ writes: { per_minute: 2 } });
    const asked = await server.call('POST', `/api/v1/routines/${String(made.body['id'])}/run`, { token });
    expect(asked.status).toBeLessThan(300);
    // The asking was the first write, a step the second; the other step is refused, and put off.
    await eventually(async () => {
      const uses = await usesOf(id);
      return uses.some(({ face, reason }) => face === 'routine' && reason === 'ceiling');
    });
    const allowed = (await usesOf(id)).filter(
      ({ face, budget, decision }) => face === 'routine' && budget === 'writes' && decision === 'allowed',
    );
    expect(allowed).toHaveLength(1);
    await change({ writes: null });
    expect(await runsOf(server, String(made.body['id']))).toHaveLength(1);
  });

  it('P12 bad input changes nothing, and names the field', async () => {
    await change({ reads: { per_minute: 100 } });
    const bad: readonly (readonly [unknown, string])[] = [
      [{ reads: { per_minute: 0 } }, 'reads.per_minute'],
      [{ reads: { per_minute: -1 } }, 'reads.per_minute'],
      [{ writes: { per_minute: 1e12 } }, 'writes.per_minute'],
      [{ writes: { per_minute: 1.5 } }, 'writes.per_minute'],
      [{ writes: { per_minute: '7' } }, 'writes.per_minute'],
      [{ writes: {} }, 'writes.per_minute'],
      [{ writes: 7 }, 'writes'],
      [{ reads: { per_minute: 5, used: 0 } }, 'reads.used'],
      [{ handshakes: { per_minute: 5 } }, 'handshakes'],
      [{ workspace: 'another', reads: { per_minute: 5 } }, 'workspace'],
    ];
    for (const [body, field] of bad) {
      const answer = await change(body);
      expect([answer.status, answer.body['code'], JSON.stringify(answer.body['errors'])]).toEqual([
        422,
        'invalid',
        expect.stringContaining(`"${field}"`),
      ]);
    }
    expect((await change('{"reads":{"per_minute":NaN}}')).status).toBe(400);
    expect(await ceilingEvents()).toHaveLength(1);
    // Nothing to change is no change.
    expect((await change({})).status).toBe(200);
    expect((await change({ reads: { per_minute: 100 } })).headers.has('x-log-position')).toBe(false);
    expect(await ceilingEvents()).toHaveLength(1);
  });

  it('P12 If-Match and Idempotency-Key are honoured', async () => {
    const first = await change({ reads: { per_minute: 100 } }, { 'idempotency-key': 'once' });
    const again = await change({ reads: { per_minute: 100 } }, { 'idempotency-key': 'once' });
    expect([first.status, again.status, again.body['version']]).toEqual([200, 200, 0]);
    expect((await change({ reads: { per_minute: 99 } }, { 'idempotency-key': 'once' })).status).toBe(422);
    expect((await change({ reads: { per_minute: 99 } }, { 'if-match': '"7"' })).status).toBe(412);
    expect((await change({ reads: { per_minute: 99 } }, { 'if-match': '"0"' })).status).toBe(200);
    expect((await change({ reads: { per_minute: 98 } }, { 'if-match': '"0"' })).status).toBe(412);
    const both = await Promise.all([change({ reads: { per_minute: 50 } }), change({ writes: { per_minute: 50 } })]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect((await show()).body['limits']).toMatchObject({ reads: { per_minute: 50 }, writes: { per_minute: 50 } });
  });

  it('P13 only who operates the workspace changes it, and only that one', async () => {
    const { token: manager } = await createToken(server, {
      catalogue: 'writ',
      scopes: ['tokens:read', 'tokens:write', 'audit:read', 'people:write'],
    });
    const { token: agent } = await createToken(server, COMMA);
    for (const token of [manager, agent]) {
      expect((await change({ reads: null }, {}, token)).status).toBe(403);
      expect((await show(token)).status).toBe(403);
    }
    const { token: stranger } = await tokenElsewhere(server, 'w2', 'writ');
    await change({ reads: { per_minute: 40 } });
    expect((await change({ reads: { per_minute: 1 } }, {}, stranger)).body['id']).toBe('w2');
    expect((await show()).body['limits']).toMatchObject({ reads: { per_minute: 40 } });
    for (let call = 0; call < 3; call++) expect((await me(agent)).status).toBe(200);
    expect([(await me(stranger)).status, (await me(stranger)).status]).toEqual([200, 429]);
    // Where it is 1, its operator cannot look, but lifts it all the same.
    expect((await change({ reads: null }, {}, stranger)).status).toBe(200);
    expect((await me(stranger)).status).toBe(200);
  });
});
