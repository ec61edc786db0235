import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { JOURNAL_PREFIX, type TokenUse } from '../../libs/usage/use.ts';
import { type Answer, createToken, startServer, type TestServer } from '../support/server.ts';

const TOKEN = { catalogue: 'comma', name: 'a name', scopes: ['reports:read'] };
const limit = (perMinute: unknown): object => ({ ...TOKEN, limits: { reads: { per_minute: perMinute } } });
const MEBIBYTE = 1024 * 1024;

/** A report whose JSON is exactly so many bytes, within the characters a body may have. */
function reportOf(bytes: number): string {
  const room = bytes - JSON.stringify({ title: 'a title', body: '' }).length;
  return JSON.stringify({ title: 'a title', body: '€'.repeat(room / 3) + 'x'.repeat(room % 3) });
}
const nested = (depth: number): string => `${'{"title":'.repeat(depth)}1${'}'.repeat(depth)}`;

type Row = readonly [what: string, input: unknown, status: number, field: string];

describe('input that is no good', () => {
  let server: TestServer;
  let writer: { readonly id: string; readonly token: string };
  let report: string;

  beforeAll(async () => {
    server = await startServer();
    const scopes = ['reports:read', 'reports:write', 'comments:read', 'comments:write'];
    // Plenty of everything: what is refused here is refused for its input.
    const limits = { reads: { per_minute: 10_000 }, writes: { per_minute: 10_000 } };
    writer = await createToken(server, { catalogue: 'comma', scopes, limits });
    const made = await server.call('POST', '/api/v1/reports', { token: writer.token, body: { title: 'a title' } });
    report = String(made.body['id']);
  });
  afterAll(() => server.close());

  const domainEvents = async (): Promise<string[]> =>
    [...(await server.events('token-')), ...(await server.events('report-'))].map(({ id }) => id);

  /** A problem that names the field, nothing changed, and the use recorded as refused. */
  async function expectRefused(ask: () => Promise<Answer>, status: number, field: string): Promise<void> {
    const before = await domainEvents();
    const { status: answered, headers, body } = await ask();
    expect({ answered, body }).toMatchObject({ answered: status, body: { status, title: expect.any(String) } });
    expect(headers.get('content-type')).toBe('application/problem+json');
    const errors = (body['errors'] ?? []) as readonly { readonly field: string; readonly message: string }[];
    expect(errors.map((error) => error.field)).toContain(field);
    expect(errors.every(({ message }) => message.length > 0)).toBe(true);
    expect(await domainEvents()).toEqual(before);
    const requestId = headers.get('x-request-id');
    const uses = (await server.events(JOURNAL_PREFIX)).map(({ data }) => data as TokenUse);
    expect(uses.filter((use) => use.request_id === requestId)).toEqual([
      expect.objectContaining({ decision: 'refused', status }),
    ]);
  }

  const TOKENS: readonly Row[] = [
    ['an unknown scope', { ...TOKEN, scopes: ['reports:read', 'reports:burn'] }, 422, 'scopes'],
    ['a scope of another catalogue', { ...TOKEN, scopes: ['tickets:write'] }, 422, 'scopes'],
    ['a qualified scope', { ...TOKEN, scopes: ['comma/reports:read'] }, 422, 'scopes'],
    ['a scope every object has', { ...TOKEN, scopes: ['constructor'] }, 422, 'scopes'],
    ['no scopes', { ...TOKEN, scopes: [] }, 422, 'scopes'],
    ['scopes that are a text', { ...TOKEN, scopes: 'reports:read' }, 422, 'scopes'],
    ['scopes in scopes', { ...TOKEN, scopes: [['reports:read']] }, 422, 'scopes'],
    ['scopes left out', { ...TOKEN, scopes: undefined }, 422, 'scopes'],
    ['an unknown catalogue', { ...TOKEN, catalogue: 'nothing' }, 422, 'catalogue'],
    ['a catalogue every object has', { ...TOKEN, catalogue: '__proto__' }, 422, 'catalogue'],
    ['a limit of 0', limit(0), 422, 'limits.reads.per_minute'],
    ['a limit of -1', limit(-1), 422, 'limits.reads.per_minute'],
    ['a limit of 1e12', limit(1e12), 422, 'limits.reads.per_minute'],
    ['half a call', limit(1.5), 422, 'limits.reads.per_minute'],
    ['a limit that is a text', limit('NaN'), 422, 'limits.reads.per_minute'],
    ['a limit in digits', limit('60'), 422, 'limits.reads.per_minute'],
    ['an empty limit', { ...TOKEN, limits: { reads: {} } }, 422, 'limits.reads.per_minute'],
    ['a limit that is a list', { ...TOKEN, limits: { reads: [] } }, 422, 'limits.reads'],
    ['limits that are a list', { ...TOKEN, limits: [] }, 422, 'limits'],
    ['a limit of nothing known', { ...TOKEN, limits: { tea: { per_minute: 1 } } }, 422, 'limits.tea'],
    ['restrict that is a list', { ...TOKEN, restrict: [] }, 422, 'restrict'],
    ['a pin where none can be', { ...TOKEN, restrict: { companies: ['c'] } }, 422, 'restrict'],
    ['no name', { ...TOKEN, name: '' }, 422, 'name'],
    ['a name of 10,000 characters', { ...TOKEN, name: 'n'.repeat(10_000) }, 422, 'name'],
    ['a name that is a list', { ...TOKEN, name: ['n'] }, 422, 'name'],
    ['a control character', { ...TOKEN, name: 'a\u0007b' }, 422, 'name'],
    ['a line break', { ...TOKEN, name: 'a\nb' }, 422, 'name'],
    ['U+0000', { ...TOKEN, name: 'a\0b' }, 422, 'name'],
    ['half a surrogate pair', `{"catalogue":"comma","name":"a\\ud800b","scopes":["reports:read"]}`, 422, 'name'],
    ['a bidi override', { ...TOKEN, name: 'a\u202eb' }, 422, 'name'],
    ['a zero-width space', { ...TOKEN, name: 'a\u200bb' }, 422, 'name'],
    ['the dot of attributions', { ...TOKEN, name: 'a · via REST' }, 422, 'name'],
    ['parentheses', { ...TOKEN, name: 'Anna (agent)' }, 422, 'name'],
    ['an unknown kind', { ...TOKEN, kind: 'robot' }, 422, 'kind'],
    ['an unknown owner', { ...TOKEN, owner: 'nobody' }, 422, 'owner'],
    ['an unknown field', { ...TOKEN, digest: 'mine' }, 422, 'digest'],
    ['an expiry in the past', { ...TOKEN, expires_at: '2020-01-01T00:00:00Z' }, 422, 'expires_at'],
    ['an expiry that is no day', { ...TOKEN, expires_at: '2030-02-30' }, 422, 'expires_at'],
    ['an expiry as a week', { ...TOKEN, expires_at: '2030-W10-1' }, 422, 'expires_at'],
    ['an expiry as a day of the year', { ...TOKEN, expires_at: '2030-123' }, 422, 'expires_at'],
    ['an expiry without a zone', { ...TOKEN, expires_at: '2030-01-01T00:00:00' }, 422, 'expires_at'],
    ['an expiry that is a number', { ...TOKEN, expires_at: 5 }, 422, 'expires_at'],
  ];
  it.each(TOKENS)('P12 a token with %s', (_, body, status, field) =>
    expectRefused(() => server.call('POST', '/api/v1/tokens', { token: server.operator, body }), status, field),
  );

  const CHANGES: readonly Row[] = [
    ['limits of null', { limits: null }, 422, 'limits'],
    ['a name of null', { name: null }, 422, 'name'],
    ['scopes of null', { scopes: null }, 422, 'scopes'],
    ['no scopes', { scopes: [] }, 422, 'scopes'],
    ['an expiry as a week', { expires_at: '2030-W10-1' }, 422, 'expires_at'],
    ['another digest', { digest: '00' }, 422, 'digest'],
    ['another owner', { owner: 'me' }, 422, 'owner'],
  ];
  it.each(CHANGES)('P12 a change to %s', (_, body, status, field) =>
    expectRefused(
      () => server.call('PATCH', `/api/v1/tokens/${writer.id}`, { token: server.operator, body }),
      status,
      field,
    ),
  );

  it('P12 a limit changed to null is its default again', async () => {
    const { id } = await createToken(server, { ...TOKEN, limits: { reads: { per_minute: 5 } } });
    const body = { limits: { reads: null } };
    const answer = await server.call('PATCH', `/api/v1/tokens/${id}`, { token: server.operator, body });
    expect(answer).toMatchObject({ status: 200, body: { limits: { reads: { per_minute: 600 } } } });
  });

  const REPORTS: readonly Row[] = [
    ['a body that is no JSON', '{"title":', 400, ''],
    ['a body that is a list', [{ title: 'a' }], 400, ''],
    ['a body that is a text', '"title"', 400, ''],
    ['a body that is null', 'null', 400, ''],
    ['a body 40 deep', nested(40), 400, 'title'],
    ['a body 100,000 deep', nested(100_000), 400, 'title'],
    ['a body over 1 MiB', reportOf(MEBIBYTE + 1), 413, ''],
    ['a body over 1 MiB that would not be kept', { title: 'a', surplus: 'x'.repeat(MEBIBYTE) }, 413, ''],
    ['a body that leaves no room for who wrote it', reportOf(MEBIBYTE), 413, ''],
    ['no title', {}, 422, 'title'],
    ['a title of two lines', { title: 'a\nb' }, 422, 'title'],
    ['a title of 301 characters', { title: 't'.repeat(301) }, 422, 'title'],
    ['an unknown status', { title: 'a', status: 'secret' }, 422, 'status'],
    ['an unknown field', { title: 'a', by: 'somebody else' }, 422, 'by'],
    ['U+0000 in its text', { title: 'a', body: 'a\0b' }, 422, 'body'],
    ['half a surrogate pair in its text', '{"title":"a","body":"\\udc00"}', 422, 'body'],
  ];
  it.each(REPORTS)('P12 a report with %s', (_, body, status, field) =>
    expectRefused(() => server.call('POST', '/api/v1/reports', { token: writer.token, body }), status, field),
  );

  it.each([
    ['text/plain', 415, 'content-type'],
    ['application/x-www-form-urlencoded', 415, 'content-type'],
    ['application/jsonp', 415, 'content-type'],
  ])('P12 a body said to be %s', (type, status, field) =>
    expectRefused(
      () =>
        server.call('POST', '/api/v1/reports', {
          token: writer.token,
          body: '{"title":"a"}',
          headers: { 'content-type': type },
        }),
      status,
      field,
    ),
  );

  it.each([
    ['said to be gzip', { 'content-encoding': 'gzip' }, 400, ''],
    ['in an unknown encoding', { 'content-encoding': 'rot13' }, 400, ''],
    ['under an If-Match that is none', { 'if-match': 'three' }, 400, 'if-match'],
    ['under two revisions', { 'if-match': '"1", "2"' }, 400, 'if-match'],
    ['under an empty Idempotency-Key', { 'idempotency-key': ' ' }, 400, 'idempotency-key'],
    ['under a key of 256 characters', { 'idempotency-key': 'k'.repeat(256) }, 400, 'idempotency-key'],
  ])('P12 a change %s', (_, headers, status, field) =>
    expectRefused(
      () => server.call('PATCH', `/api/v1/reports/${report}`, { token: writer.token, body: { title: 'new' }, headers }),
      status,
      field,
    ),
  );

  it.each([
    ['a cursor of nobody', '/api/v1/reports?cursor=abc', {}, 400, 'cursor'],
    [
      'a cursor of another list',
      `/api/v1/reports?cursor=${Buffer.from('tokens:1').toString('base64url')}`,
      {},
      400,
      'cursor',
    ],
    ['two cursors', '/api/v1/reports?cursor=a&cursor=b', {}, 422, 'cursor'],
    ['a page of 0', '/api/v1/reports?limit=0', {}, 422, 'limit'],
    ['a page of 201', '/api/v1/reports?limit=201', {}, 422, 'limit'],
    ['a page of many', '/api/v1/reports?limit=many', {}, 422, 'limit'],
    ['an unknown filter', '/api/v1/reports?author=x', {}, 422, 'author'],
    ['U+0000 in a filter', '/api/v1/reports?status=%00', {}, 422, 'status'],
    ['an id that is none', '/api/v1/reports/1', {}, 422, 'id'],
    ['a position that is none', '/api/v1/reports', { 'x-log-position': 'now' }, 400, 'x-log-position'],
    ['a negative position', '/api/v1/reports', { 'x-log-position': '-1' }, 400, 'x-log-position'],
    ['a position of two', '/api/v1/reports', { 'x-log-position': '1, 2' }, 400, 'x-log-position'],
    ['a position to come', '/api/v1/reports', { 'x-log-position': '999999999999999' }, 400, 'x-log-position'],
  ] as const)('P12 a read with %s', (_, path, headers, status, field) =>
    expectRefused(() => server.call('GET', path, { token: writer.token, headers }), status, field),
  );

  it('P12 the reason in the body of a revocation is not passed over', async () => {
    const { id } = await createToken(server, TOKEN);
    const revoke = (body: object) => server.call('DELETE', `/api/v1/tokens/${id}`, { token: server.operator, body });
    await expectRefused(() => revoke({ reason: 'because' }), 422, 'reason');
    await expectRefused(() => revoke({ because: 'leak' }), 422, 'because');
    expect((await revoke({ reason: 'leak', note: 'seen in a gist' })).status).toBe(200);
    const events = await server.events(`token-${id}`);
    expect(events.at(-1)).toMatchObject({
      type: 'TokenRevoked',
      data: { reason: 'leak', note: 'seen in a gist' },
    });
  });

  it.each([
    ['title', (token: string) => ({ title: `use ${token}.` })],
    ['body', (token: string) => ({ title: 'a', body: `curl -H "Authorization: Bearer ${token}"` })],
    ['body', (token: string) => ({ title: 'a', body: `${'x'.repeat(100)} ${token}${token}` })],
    ['', (token: string) => ({ title: 'a', [token]: 1 })],
    ['tags.0', (token: string) => ({ title: 'a', tags: [token] })],
  ])('P5 P12 a token in the text (%s) is not kept', async (field, body) => {
    for (const token of [writer.token, server.operator]) {
      const ask = () => server.call('POST', '/api/v1/reports', { token: writer.token, body: body(token) });
      await expectRefused(ask, 422, field);
      expect((await ask()).body).toMatchObject({ code: 'contains_secret' });
    }
  });

  it('P12 after all that, everything is as it was', async () => {
    const { body } = await server.call('GET', '/api/v1/reports', {
      token: writer.token,
      headers: { 'x-log-position': String(await server.log.head()) },
    });
    expect(body['items']).toEqual([expect.objectContaining({ id: report, title: 'a title' })]);
    // A refusal is no fault: nothing above was answered 500.
    expect(server.logged.filter((line) => line.includes('failed'))).toEqual([]);
  });
});
