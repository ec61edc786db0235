import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TokenCreated } from '../../libs/tokens/events.ts';
import { parseToken } from '../../libs/tokens/token-format.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';

const HOUR_MS = 3_600_000;
const later = (ms: number): string => new Date(Date.now() + ms).toISOString();

interface Made {
  readonly id: string;
  readonly token: string;
}

describe('what a token may give', () => {
  let server: TestServer;
  /** Holds `tokens:write` alone, 100 reads and 10 writes a minute, for an hour. */
  let giver: Made;
  /** The operator's other tokens: more than the giver in one respect each. */
  let wider: Made;
  let faster: Made;
  let suspended: Made;
  let product: Made;
  let operatorId: string;

  beforeAll(async () => {
    server = await startServer();
    const limits = { reads: { per_minute: 100 }, writes: { per_minute: 1_000 } };
    const own = { catalogue: 'writ', scopes: ['tokens:write'], limits, expires_at: later(HOUR_MS) };
    giver = await createToken(server, own);
    wider = await createToken(server, { ...own, scopes: ['tokens:read', 'audit:read'] });
    faster = await createToken(server, { ...own, limits: { reads: { per_minute: 101 }, writes: { per_minute: 10 } } });
    suspended = await createToken(server, { ...own, scopes: ['operate'] });
    await server.call('POST', `/api/v1/tokens/${suspended.id}/suspend`, { token: server.operator });
    product = await createToken(server, {
      catalogue: 'comma',
      scopes: ['reports:read', 'reports:write'],
      limits: { reads: { per_minute: 50 }, writes: { per_minute: 10 } },
      expires_at: later(HOUR_MS / 2),
    });
    operatorId = parseToken(server.operator)?.id ?? '';
  });
  afterAll(() => server.close());

  /** Within what the giver holds, in every respect. */
  const within = () => ({
    catalogue: 'writ',
    name: 'given',
    scopes: ['tokens:read'],
    limits: { reads: { per_minute: 100 }, writes: { per_minute: 1_000 } },
    expires_at: later(HOUR_MS / 2),
  });
  const lives = async (): Promise<string[]> => (await server.events('token-')).map(({ id }) => id);

  async function expectForbidden(method: string, path: string, body: unknown, token = giver.token): Promise<void> {
    const before = await lives();
    const answer = await server.call(method, path, { token, body });
    expect({ status: answer.status, code: answer.body['code'] }).toEqual({ status: 403, code: 'forbidden' });
    expect(answer.body['token']).toBeUndefined();
    expect(await lives()).toEqual(before);
  }

  it('P13 gives what lies within what it holds', async () => {
    const answer = await server.call('POST', '/api/v1/tokens', { token: giver.token, body: within() });
    expect(answer).toMatchObject({ status: 201, body: { scopes: ['tokens:read'] } });
    const same = { ...within(), scopes: ['tokens:write'] };
    expect((await server.call('POST', '/api/v1/tokens', { token: giver.token, body: same })).status).toBe(201);
    const given = { ...within(), catalogue: 'comma', scopes: ['reports:read'] };
    expect((await server.call('POST', '/api/v1/tokens', { token: giver.token, body: given })).status).toBe(201);
  });

  it.each([
    ['a scope it lacks', { scopes: ['audit:read'] }],
    ['a scope it lacks beside one it has', { scopes: ['tokens:write', 'people:write'] }],
    ['every scope', { scopes: ['audit:read', 'operate', 'people:write', 'tokens:introspect', 'tokens:write'] }],
    ['a read more a minute', { limits: { reads: { per_minute: 101 }, writes: { per_minute: 1_000 } } }],
    ['a write more a minute', { limits: { reads: { per_minute: 100 }, writes: { per_minute: 1_001 } } }],
    ['the default limits, which are higher', { limits: undefined }],
    ['limits of null, which are the default', { limits: { reads: null, writes: { per_minute: null } } }],
    ['a longer life', { expires_at: later(2 * HOUR_MS) }],
    ['an endless life', { expires_at: null }],
    ['an endless life by leaving it out', { expires_at: undefined }],
    ['the default limits of another catalogue', { catalogue: 'comma', scopes: ['reports:read'], limits: undefined }],
    ['an endless product token', { catalogue: 'comma', scopes: ['reports:read'], expires_at: undefined }],
  ])('P13 does not create a token with %s', (_, more) =>
    expectForbidden('POST', '/api/v1/tokens', { ...within(), ...more }),
  );

  it('P13 does not create a token for somebody who is not there', async () => {
    const before = await lives();
    const body = { ...within(), owner: '01ARZ3NDEKTSV4RRFFQ69G5FAV' };
    expect((await server.call('POST', '/api/v1/tokens', { token: giver.token, body })).status).toBe(422);
    expect(await lives()).toEqual(before);
  });

  it.each([
    ['its scopes', { scopes: ['tokens:write', 'audit:read'] }],
    ['its reads', { limits: { reads: { per_minute: 101 } } }],
    ['its reads, to the default', { limits: { reads: { per_minute: null } } }],
    ['its writes', { limits: { writes: { per_minute: 1_001 } } }],
    ['its life', { expires_at: later(2 * HOUR_MS) }],
    ['its life, for ever', { expires_at: null }],
  ])('P13 never widens itself: %s', (_, body) => expectForbidden('PATCH', `/api/v1/tokens/${giver.id}`, body));

  it.each([
    ['the operator’s', () => operatorId],
    ['one with more scopes', () => wider.id],
    ['one with higher limits', () => faster.id],
  ])('P13 does not take over %s by rotating it', async (_, id) => {
    await expectForbidden('POST', `/api/v1/tokens/${id()}/rotate`, {});
    await expectForbidden('POST', `/api/v1/tokens/${id()}/rotate`, { overlap_seconds: 0 });
  });

  it('P13 does not resume what holds more', () => expectForbidden('POST', `/api/v1/tokens/${suspended.id}/resume`, {}));

  it.each([
    ['a product’s token beyond its own limits', () => product.id, { limits: { reads: { per_minute: 101 } } }],
    ['a product’s token beyond its own life', () => product.id, { expires_at: null }],
    // Within its own writes: but the whole token it would help to widen holds more reads than it.
    ['one that holds more already', () => faster.id, { limits: { writes: { per_minute: 11 } } }],
    ['another’s scopes by those it lacks', () => wider.id, { scopes: ['tokens:read', 'audit:read', 'operate'] }],
  ])('P13 does not widen %s', (_, id, body) => expectForbidden('PATCH', `/api/v1/tokens/${id()}`, body));

  it('P13 hands down at most what it was given, over generations', async () => {
    const child = await createToken(server, { ...within(), scopes: ['tokens:write'] }, giver.token);
    await expectForbidden('POST', '/api/v1/tokens', { ...within(), expires_at: later(HOUR_MS) }, child.token);
    await expectForbidden('PATCH', `/api/v1/tokens/${child.id}`, { expires_at: later(HOUR_MS) }, child.token);
    await expectForbidden('POST', `/api/v1/tokens/${giver.id}/rotate`, {}, child.token);
  });

  it('P13 a rotation of itself gives it the same and no more', async () => {
    const self = await createToken(server, { ...within(), scopes: ['tokens:write'] }, giver.token);
    const rotated = await server.call('POST', `/api/v1/tokens/${self.id}/rotate`, { token: self.token, body: {} });
    expect(rotated.status).toBe(201);
    const lived = (await server.events(`token-${String(rotated.body['id'])}`))[0]?.data as TokenCreated['data'];
    const born = (await server.events(`token-${self.id}`))[0]?.data as TokenCreated['data'];
    for (const same of ['scopes', 'limits', 'restrict', 'expires_at', 'workspace', 'owner', 'lineage'] as const) {
      expect(lived[same]).toEqual(born[same]);
    }
  });

  it('P2 a token that cuts over to its successor hears its secret, and is dead', async () => {
    const self = await createToken(server, { ...within(), scopes: ['tokens:write'] }, giver.token);
    const body = { overlap_seconds: 0 };
    const rotated = await server.call('POST', `/api/v1/tokens/${self.id}/rotate`, { token: self.token, body });
    expect(rotated.status).toBe(201);
    expect((await server.call('GET', '/api/v1/me', { token: self.token })).status).toBe(401);
    const { status, body: heir } = await server.call('GET', '/api/v1/me', { token: String(rotated.body['token']) });
    expect({ status, id: heir['id'] }).toEqual({ status: 200, id: rotated.body['id'] });
  });

  it.each([
    ['DELETE', '', 'revoked'],
    ['POST', '/suspend', 'suspended'],
  ])('P2 a token that ends itself hears that it did, and is dead: %s%s', async (method, verb, status) => {
    const self = await createToken(server, { ...within(), scopes: ['tokens:write'] }, giver.token);
    const ended = await server.call(method, `/api/v1/tokens/${self.id}${verb}`, { token: self.token });
    expect([ended.status, ended.body['status']]).toEqual([200, status]);
    expect((await server.call('GET', '/api/v1/me', { token: self.token })).status).toBe(401);
    const again = await server.call(method, `/api/v1/tokens/${self.id}${verb}`, { token: self.token });
    expect(again.status).toBe(401);
  });

  it.each([
    ['GET', '/api/v1/tokens', undefined, 'tokens:read'],
    ['GET', '/api/v1/tokens/ID', undefined, 'tokens:read'],
    ['GET', '/api/v1/tokens/ID/history', undefined, 'tokens:read'],
    ['GET', '/api/v1/requests/ID', undefined, 'tokens:read'],
    ['POST', '/api/v1/tokens', within(), 'tokens:write'],
    ['PATCH', '/api/v1/tokens/ID', { name: 'mine' }, 'tokens:write'],
    ['POST', '/api/v1/tokens/ID/rotate', {}, 'tokens:write'],
    ['POST', '/api/v1/tokens/ID/suspend', {}, 'tokens:write'],
    ['POST', '/api/v1/tokens/ID/resume', {}, 'tokens:write'],
    ['DELETE', '/api/v1/tokens/ID', undefined, 'tokens:write'],
  ])('P13 a product’s token does not pass %s %s, not even for itself', async (method, path, body, scope) => {
    const before = await lives();
    const how = { token: product.token, body };
    const answer = await server.call(method, path.replace('ID', product.id), how);
    expect(answer).toMatchObject({ status: 403, body: { missing_scope: scope } });
    expect(await lives()).toEqual(before);
  });

  it.each([
    ['GET', '/api/v1/reports', undefined, 'reports:read'],
    ['GET', `/api/v1/reports/ID/comments`, undefined, 'comments:read'],
    ['POST', '/api/v1/reports', { title: 'a' }, 'reports:write'],
    ['POST', '/api/v1/reports/ID/comments', { body: 'a' }, 'comments:write'],
  ])('P13 the operator’s token does not pass %s %s: it is no product’s', async (method, path, body, scope) => {
    const how = { token: server.operator, body };
    const answer = await server.call(method, path.replace('ID', product.id), how);
    expect(answer).toMatchObject({ status: 403, body: { missing_scope: scope } });
    expect(answer.headers.get('www-authenticate')).toContain('insufficient_scope');
    expect(await server.events('report-')).toEqual([]);
  });
});
