import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { formatToken, newSecret, parseToken } from '../../libs/tokens/token-format.ts';
import { type Answer, type CallOptions, createToken, startServer, type TestServer } from '../support/server.ts';

/** The part that must be known to its holder only: 32 characters before a checksum of 6. */
const secretOf = (token: string): string => token.slice(-38, -6);

/** Every file under a folder, as bytes in one text, the operator's token file (P5's named exception) aside. */
function filesBeneath(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'operator-token')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

describe('secrets', () => {
  let server: TestServer;
  const tokens: string[] = [];
  const answers: Answer[] = [];
  const leaks = (text: string): string[] => tokens.filter((token) => text.includes(secretOf(token)));

  const ask = async (method: string, path: string, how: CallOptions): Promise<Answer> => {
    const answer = await server.call(method, path, how);
    answers.push(answer);
    const { token } = answer.body;
    if (answer.status === 201 && typeof token === 'string') tokens.push(token);
    return answer;
  };

  /** A life with everything that happens to tokens, mishaps included. */
  beforeAll(async () => {
    server = await startServer();
    const { operator } = server;
    tokens.push(operator);
    const scopes = ['reports:read', 'reports:write', 'comments:read', 'comments:write'];
    const made = await createToken(server, { catalogue: 'comma', scopes });
    tokens.push(made.token);
    const path = `/api/v1/tokens/${made.id}`;
    const create = { catalogue: 'comma', name: 'keyed', scopes };
    const keyed = { token: operator, body: create, headers: { 'idempotency-key': 'once' } };
    await ask('POST', '/api/v1/tokens', keyed);
    await ask('POST', '/api/v1/tokens', keyed);
    const rotated = await ask('POST', `${path}/rotate`, { token: operator, body: { overlap_seconds: 60 } });
    const heir = String(rotated.body['token']);
    await ask('POST', `${path}/rotate`, { token: operator, body: {} });
    await ask('POST', `/api/v1/tokens/${parseToken(operator)?.id}/rotate`, { token: operator, body: {} });

    const report = await ask('POST', '/api/v1/reports', { token: heir, body: { title: 'a title' } });
    const comments = `/api/v1/reports/${String(report.body['id'])}/comments`;
    await ask('POST', comments, { token: made.token, body: { body: 'by the old one' } });
    for (const leaked of [made.token, heir, operator]) {
      await ask('POST', '/api/v1/reports', { token: heir, body: { title: 'see', body: `Bearer ${leaked}` } });
      await ask('POST', comments, { token: heir, body: { body: leaked } });
      await ask('POST', '/api/v1/reports', { token: heir, body: { title: 'see', [leaked]: leaked } });
      await ask('POST', '/api/v1/tokens', { token: operator, body: { ...create, name: leaked } });
      await ask('POST', '/api/v1/tokens', { token: operator, body: { ...create, catalogue: leaked } });
      await ask('POST', '/api/v1/tokens', { token: operator, body: { ...create, scopes: [leaked] } });
      await ask('DELETE', `${path}?note=${leaked}`, { token: operator });
      // Places where nobody should put a token, and somebody will.
      await ask('GET', `/api/v1/reports?token=${leaked}`, { token: heir });
      await ask('GET', `/api/v1/reports?cursor=${leaked}`, { token: heir });
      await ask('GET', `/api/v1/reports/${leaked}`, { token: heir });
      await ask('GET', `/api/v1/requests/${leaked}`, { token: operator });
      await ask('GET', `/api/v1/nowhere/${leaked}`, { token: heir });
      await ask('POST', '/api/v1/reports', { token: heir, body: `{"title":"${leaked}` });
      for (const header of ['idempotency-key', 'if-match', 'x-log-position', 'user-agent', 'cookie', 'content-type']) {
        const headers = { [header]: leaked };
        await ask('POST', '/api/v1/reports', { token: heir, body: { title: `by ${header}` }, headers });
      }
    }
    // Credentials that are none: whole but wrong, cut, of another scheme.
    const wrong = formatToken('comma_sk_', made.id, newSecret());
    tokens.push(wrong);
    await ask('GET', '/api/v1/me', { token: wrong });
    await ask('GET', '/api/v1/me', { token: operator.slice(0, -1) });
    await ask('GET', '/api/v1/me', { headers: { authorization: `Basic ${operator}` } });

    await ask('POST', `${path}/suspend`, { token: operator });
    await ask('GET', '/api/v1/me', { token: made.token });
    await ask('POST', `${path}/resume`, { token: operator });
    await ask('DELETE', path, { token: operator });
    await ask('GET', '/api/v1/me', { token: made.token });
    const fresh = { token: operator, headers: { 'x-log-position': String(await server.log.head()) } };
    await ask('GET', '/api/v1/tokens', fresh);
    await ask('GET', path, fresh);
    await ask('GET', `${path}/history?limit=200`, fresh);
    await server.parts.denials.flush();
  });
  afterAll(() => server.close());

  it('P5 the scenario is as rich as it says', async () => {
    const seen = new Set(answers.map(({ status }) => status));
    expect([200, 201, 400, 401, 404, 409, 422].filter((status) => !seen.has(status))).toEqual([]);
    expect(answers.filter(({ body }) => body['code'] === 'contains_secret').length).toBeGreaterThan(10);
    expect(tokens.length).toBeGreaterThanOrEqual(5);
    const types = new Set((await server.events()).map(({ type }) => type));
    for (const type of ['TokenCreated', 'TokenRotated', 'TokenSuspended', 'TokenRevoked', 'TokenUsed']) {
      expect(types).toContain(type);
    }
  });

  it('P5 no event holds one, in any stream', async () => {
    const events = await server.events();
    expect(events.filter((event) => leaks(JSON.stringify(event)).length > 0)).toEqual([]);
  });

  it('P5 no file of the data directory holds one', () => {
    const bytes = filesBeneath(server.dataDir);
    // What is stored is found this way.
    expect(bytes).toContain('by the old one');
    expect(leaks(bytes)).toEqual([]);
  });

  it('P5 no log line holds one', () => {
    expect(server.logged.length).toBeGreaterThan(0);
    expect(server.logged.filter((line) => leaks(line).length > 0)).toEqual([]);
  });

  it('P5 no answer holds one but the one that makes it, which must not be stored', () => {
    const telling = answers.filter(({ body, headers }) => leaks(JSON.stringify([body, ...headers])).length > 0);
    expect(telling.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(telling.map(({ headers }) => headers.get('cache-control'))).toEqual(['no-store', 'no-store', 'no-store']);
    for (const { body } of telling) expect(leaks(JSON.stringify({ ...body, token: null }))).toEqual([]);
  });
});
