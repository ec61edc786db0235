import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Digest } from '../../libs/digests/digest.ts';
import { DigestKeeper } from '../../libs/digests/digest-keeper.ts';
import { DAY_MS, periodAt } from '../../libs/digests/period.ts';
import { newId } from '../../libs/ids/new-id.ts';
import { type CliRun, writ } from '../support/cli.ts';
import { callTool, connectCurrent } from '../support/mcp.ts';
import { type Answer, createToken, startServer, type TestServer } from '../support/server.ts';
import { tokenElsewhere } from '../support/token-elsewhere.ts';

jest.setTimeout(180_000);

const HOSTILE = '<img src=x onerror=alert`1`>|[a]';

const ELSEWHERE = newId();

const auditorOf = async (server: TestServer, workspace: string): Promise<string> =>
  (await tokenElsewhere(server, workspace, 'writ', ['audit:read'])).token;

describe('digests over REST and MCP', () => {
  /** What the server takes for now: calls are recorded by the real time, so their period is over when it is later. */
  let laterMs = 0;
  let server: TestServer;
  let auditor: string;
  let writer: { readonly id: string; readonly token: string };
  let idle: { readonly id: string };
  let theirs: string;
  let today: string;

  const ask = (path: string, token = auditor): Promise<Answer> =>
    server.call('GET', `/api/v1/audit/digests${path}`, { token });
  const page = async (format: string): Promise<Response> =>
    fetch(`${server.url}/api/v1/audit/digests/${today}?format=${format}`, {
      headers: { authorization: `Bearer ${auditor}` },
    });

  beforeAll(async () => {
    server = await startServer({}, () => Date.now() + laterMs);
    ({ token: auditor } = await createToken(server, { catalogue: 'writ', name: 'auditor', scopes: ['audit:read'] }));
    const scopes = ['reports:write', 'reports:read', 'comments:read'];
    writer = await createToken(server, { catalogue: 'comma', name: HOSTILE, scopes });
    idle = await createToken(server, { catalogue: 'comma', name: 'idle', scopes: ['reports:read'] });
    const gone = await createToken(server, { catalogue: 'comma', name: 'gone', scopes: ['reports:read'] });
    today = periodAt('daily', Date.now()).id;
    for (let call = 0; call < 3; call++) await server.call('GET', '/api/v1/reports', { token: writer.token });
    await server.call('POST', '/api/v1/reports', { token: writer.token, body: { title: 'Numbers', body: '' } });
    await server.call('GET', '/api/v1/reports/01J9ZK00000000000000000000', { token: writer.token });
    await server.call('GET', '/api/v1/tokens', { token: writer.token });
    theirs = await auditorOf(server, ELSEWHERE);
    await server.call('GET', '/api/v1/audit/keys', { token: theirs });
    const why = '?reason=leak&note=found%20in%20a%20chat';
    await server.call('DELETE', `/api/v1/tokens/${gone.id}${why}`, { token: server.operator });
  });
  afterAll(() => server.close());

  it('has none of a period that is not over, and says when it ends', async () => {
    const { status, body } = await ask(`/${today}`);
    expect([status, body['detail']]).toEqual([404, expect.stringContaining(`The period ${today} ends at `)]);
    expect((await ask('')).body['items']).toEqual([]);
  });

  it('makes it when asked for once it is over: who was used how, what was done by whom and why', async () => {
    laterMs = DAY_MS + 20 * 60_000;
    const { status, body } = await ask(`/${today}`);
    expect(status).toBe(200);
    const digest = body as unknown as Digest;
    const token = { id: writer.id, label: HOSTILE, owner: expect.anything() };
    expect(digest.tokens.items.find((row) => row.token.id === writer.id)).toMatchObject({
      token,
      allowed: 4,
      failed: 1,
      denied: 1,
      status: 'active',
    });
    expect(digest.unused_tokens.items.map((row) => row.token.id)).toContain(idle.id);
    expect(digest.unused_scopes.items.find((row) => row.token.id === writer.id)).toMatchObject({
      unused: ['comments:read'],
      needed: ['reports:read', 'reports:write'],
    });
    expect(digest.changes.items.find(({ change }) => change === 'revoked')).toMatchObject({
      reason: 'leak',
      note: 'found in a chat',
      token: { label: 'gone' },
      by: { person: { name: 'Operator' }, face: 'rest' },
    });
    expect(digest.totals).toMatchObject({ tokens_created: 5, tokens_revoked: 1, denied: 1, late: 0 });
    expect(digest.first_seen_addresses.items).toContainEqual(expect.objectContaining({ address: '127.0.0.1', token }));
    expect(digest.reasons).toEqual([{ reason: 'missing_scope', denied: 1 }]);
  });

  it('keeps it: what happens later, and who asks again, changes no byte', async () => {
    const text = async (): Promise<string> => (await page('json')).text();
    const before = await text();
    await server.call('GET', '/api/v1/reports', { token: writer.token });
    await server.app.get(DigestKeeper).makeDue();
    expect(await text()).toBe(before);
    const { workspace } = server.parts.founded;
    expect(await server.events(`digest-${workspace}-${today}`)).toHaveLength(1);
  });

  it('shows as many rows of its lists as are asked for', async () => {
    const whole = (await ask(`/${today}`)).body as unknown as Digest;
    const short = (await ask(`/${today}?rows=2`)).body as unknown as Digest;
    expect(short.totals).toEqual(whole.totals);
    expect(short.changes).toEqual({ items: whole.changes.items.slice(0, 2), more: whole.changes.items.length - 2 });
    expect(short.first_seen_addresses).toMatchObject({ complete: true, more: 1 });
    expect((await ask(`/${today}?rows=501`)).status).toBe(422);
  });

  it('lists what was made, over REST and MCP alike', async () => {
    laterMs = 400 * DAY_MS;
    await server.app.get(DigestKeeper).makeDue();
    const { body } = await ask('?period=monthly&limit=2');
    expect(body['items']).toHaveLength(2);
    const { body: rest } = await ask(`?period=monthly&limit=200&cursor=${String(body['next'])}`);
    expect(rest).toMatchObject({ next: null });
    expect((rest['items'] as unknown[]).length).toBe(10);
    const { body: first } = await ask(`?to=${today}T00:00:01Z&period=daily`);
    expect(first['items']).toMatchObject([{ id: today, period: 'daily', totals: { tokens_created: 5 } }]);

    const client = await connectCurrent(server.url, auditor);
    try {
      const listed = await callTool(client, 'list_digests', { period: 'daily', to: `${today}T00:00:01Z` });
      expect(listed.structuredContent).toEqual(first);
      const read = await callTool(client, 'get_digest', { id: today });
      expect(read.structuredContent).toEqual((await ask(`/${today}`)).body);
      expect((await callTool(client, 'get_digest', { id: today, format: 'html' })).isError).toBe(true);
    } finally {
      await client.close();
    }
  });

  it('prints it as a page that runs nothing and loads nothing, whatever labels say', async () => {
    const html = await page('html');
    const text = await html.text();
    expect(html.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = /^default-src 'none'; style-src 'sha256-[\w+/]+=*'; sandbox$/;
    expect(html.headers.get('content-security-policy')).toMatch(policy);
    expect(text).toContain('<svg');
    expect(text).toContain('&lt;img src=x onerror=alert`1`&gt;');
    expect(text).not.toMatch(/<img|<script|https?:|url\(/);
    expect(await (await page('html')).text()).toBe(text);

    const markdown = await page('markdown');
    expect(markdown.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(await markdown.text()).toContain(String.raw`\<img src=x onerror=alert\`1\`\>\|\[a\]`);
  });

  it('is read by the command line, to the screen or into a file', async () => {
    const run = (...words: string[]): Promise<CliRun> =>
      writ(['digest', ...words], { WRIT_URL: server.url, WRIT_TOKEN: auditor, DATA_DIR: server.dataDir });
    const list = await run('list', '--period', 'daily', '--all');
    expect(list.out).toMatch(/^PERIOD +KIND +ALLOWED/);
    expect(list.out).toMatch(new RegExp(`^${today} +daily +\\d`, 'm'));

    const shown = await run('show', today);
    expect(shown.out).toMatch(/^# Daily digest · /);
    expect(`${shown.out.trimEnd()}\n`).toBe(await (await page('markdown')).text());
    const file = join(server.dataDir, 'digest.html');
    expect(await run('show', today, '--format', 'html', '--to', file)).toMatchObject({ exit: 0 });
    expect(readFileSync(file, 'utf8')).toBe(await (await page('html')).text());
    expect((await run('show', today, '--json')).out.trimEnd()).toBe(await (await page('json')).text());

    expect(await run('show', '1999-01')).toMatchObject({ exit: 1, out: '' });
    for (const wrong of [
      ['show', 'yesterday'],
      ['show', today, '--format', 'pdf'],
      ['list', '--period', 'yearly'],
    ])
      expect([wrong, (await run(...wrong)).exit]).toEqual([wrong, 2]);
  });

  it('P8 P13 shows nothing of another workspace, and nothing to who may not', async () => {
    const own = await ask(`/${today}`);
    const their = await ask(`/${today}`, theirs);
    expect([own.body['workspace'], their.body['workspace']]).toEqual([server.parts.founded.workspace, ELSEWHERE]);
    expect(their.body['totals']).toMatchObject({ tokens_created: 1, tokens_alive: 1, allowed: 1 });
    expect(JSON.stringify(own.body)).not.toContain('elsewhere');
    for (const { id } of [writer, idle]) expect(JSON.stringify(their.body)).not.toContain(id);
    const { body: listed } = await ask(`?to=${today}T00:00:01Z&period=daily`, theirs);
    expect(listed['items']).toMatchObject([{ id: today, totals: { tokens_created: 1 } }]);
    // Founded when the day was closed already.
    expect((await ask(`/${today}`, await auditorOf(server, newId()))).status).toBe(404);

    const other = await createToken(server, { catalogue: 'writ', scopes: ['tokens:read'] });
    expect((await ask('', other.token)).status).toBe(403);
    expect((await ask(`/${today}`, other.token)).status).toBe(403);
  });

  it('P12 refuses what is no period', async () => {
    for (const id of ['2026-13', '2026-02-30', '2025-W53', '1999-W01', '1999-01-01'])
      expect([id, (await ask(`/${id}`)).status]).toEqual([id, 404]);
    for (const path of ['/yesterday', '/2026', '/2026-W1', `/${today}?format=pdf`, '?period=yearly', '?from=now'])
      expect([path, (await ask(path)).status]).toEqual([path, 422]);
  });
});
