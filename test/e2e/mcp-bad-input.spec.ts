import { request as rawRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TokenUse } from '../../libs/usage/use.ts';
import { post } from '../support/mcp.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';

const REVISION = '2026-07-28';
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': REVISION,
  'io.modelcontextprotocol/clientInfo': { name: 'spec', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const CURRENT = { 'mcp-protocol-version': REVISION, 'mcp-method': 'tools/call', 'mcp-name': 'who_am_i' };
const WHO = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'who_am_i', arguments: {} } };
const WHO_CURRENT = { ...WHO, params: { ...WHO.params, _meta: ENVELOPE } };
const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const deepValue = (levels: number): unknown => JSON.parse(deep(levels));

describe('bad input to MCP', () => {
  let server: TestServer;
  let token: string;
  let id: string;
  beforeAll(async () => {
    server = await startServer();
    ({ id, token } = await createToken(server, { catalogue: 'comma', scopes: ['reports:read', 'reports:write'] }));
  }, 120_000);
  afterAll(() => server.close());

  const lastUse = async (): Promise<TokenUse | undefined> =>
    (await server.events('usage-')).map(({ data }) => data as TokenUse).findLast((use) => use.token === id);
  const errorOf = ({ json }: { readonly json: Readonly<Record<string, unknown>> }) =>
    json['error'] as { readonly code: number; readonly message: string } | undefined;

  it.each([
    ['no JSON', '{"jsonrpc', {}, 400, -32_700],
    ['nothing', '', {}, 400, -32_700],
    ['no message', '42', {}, 400, -32_600],
    ['a message of another JSON-RPC', { ...WHO, jsonrpc: '1.0' }, {}, 400, -32_600],
    ['deep JSON', `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${deep(100_000)}}`, {}, 400, -32_600],
    ['more than a megabyte', { ...WHO, params: { x: 'x'.repeat(1024 * 1024) } }, {}, 413, -32_600],
    ['a flood of a batch', Array.from({ length: 101 }, (_, n) => ({ ...WHO, id: n })), {}, 400, -32_600],
    ['an empty batch', [], {}, 400, -32_600],
    ['a session that is none', WHO, { 'mcp-session-id': 'x' }, 404, -32_001],
    ['a revision there is not', WHO, { 'mcp-protocol-version': '1999-01-01' }, 400, -32_000],
    [
      'a future revision',
      {
        ...WHO,
        params: { ...WHO.params, _meta: { ...ENVELOPE, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } },
      },
      { ...CURRENT, 'mcp-protocol-version': '2099-01-01' },
      400,
      -32_022,
    ],
    ['headers that say another thing', WHO_CURRENT, { ...CURRENT, 'mcp-name': 'list_reports' }, 400, -32_020],
    ['headers that are missing', WHO_CURRENT, {}, 400, -32_020],
    ['an unknown method', { ...WHO, method: 'tools/destroy' }, {}, 200, -32_601],
    ['an unknown tool', { ...WHO, params: { name: 'rm_rf' } }, {}, 200, -32_602],
    ['a tool named by a number', { ...WHO, params: { name: 7 } }, {}, 200, -32_602],
    ['a cursor of nobody', { ...WHO, method: 'resources/list', params: { cursor: '☃' } }, {}, 200, -32_602],
    [
      'a subscription without a session',
      { ...WHO, method: 'resources/subscribe', params: { uri: 'x' } },
      {},
      200,
      -32_602,
    ],
  ] as const)('P12 %s: a clear error, the use on record as refused', async (_, body, headers, status, code) => {
    const answer = await post(server.url, token, body, headers);
    expect({ status: answer.status, code: errorOf(answer)?.code }).toEqual({ status, code });
    expect(errorOf(answer)?.message).toMatch(/\w/);
    expect(await lastUse()).toMatchObject({ face: 'mcp', decision: 'refused', reason: 'failed' });
    // The same from somebody without a token is a 401, and tells nothing.
    const stranger = await post(server.url, null, body, headers);
    expect(stranger.status).toBe(401);
    expect(errorOf(stranger)).toBeUndefined();
  });

  it.each([
    ['arguments that are a list', { name: 'get_report', arguments: [] }, 400, ['arguments']],
    ['arguments too many', { name: 'who_am_i', arguments: { surplus: 1 } }, 422, ['surplus']],
    ['arguments too deep', { name: 'create_report', arguments: { title: deepValue(34) } }, 400, ['title']],
    ['a version that is none', { name: 'update_report', arguments: { id: 'x', if_version: 'new' } }, 400, ['if-match']],
    [
      'a key that is none',
      { name: 'create_report', arguments: {}, _meta: { 'writ/idempotency-key': 'é' } },
      400,
      ['idempotency-key'],
    ],
  ])('P12 %s: the tool says which field', async (_, params, status, fields) => {
    const { json } = await post(server.url, token, { ...WHO, params });
    const result = json['result'] as { readonly isError: boolean; readonly _meta: Record<string, unknown> };
    const problem = result._meta['writ/problem'] as { status: number; errors: { field: string }[] };
    expect(result.isError).toBe(true);
    expect({ status: problem.status, fields: problem.errors.map(({ field }) => field) }).toEqual({ status, fields });
  });

  it('P5 a token in an argument is refused and kept nowhere, one in the query lets nobody in', async () => {
    const { json } = await post(server.url, token, {
      ...WHO,
      params: { name: 'create_report', arguments: { title: token } },
    });
    expect(JSON.stringify(json)).toContain('contains_secret');
    expect(JSON.stringify(json)).not.toContain(token);
    const inQuery = await fetch(`${server.url}/api/mcp?access_token=${token}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify(WHO),
    });
    expect(inQuery.status).toBe(401);
    expect(JSON.stringify(await server.events())).not.toContain(token.slice(-38));
    expect(server.logged.join()).not.toContain(token.slice(-38));
  });

  it('a batch of an older client passes the gate call by call', async () => {
    const batch = [
      WHO,
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
      { ...WHO, id: 2, params: { name: 'create_report', arguments: {} } },
    ];
    const { status, text } = await post(server.url, token, batch, { 'mcp-protocol-version': '2025-03-26' });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual([
      expect.objectContaining({ id: 1, result: expect.objectContaining({ structuredContent: expect.anything() }) }),
      expect.objectContaining({ id: 2, result: expect.objectContaining({ isError: true }) }),
    ]);
  });

  it('P11 what holds no token leaves nothing in the log but a count', async () => {
    const before = (await server.events()).length;
    for (let count = 0; count < 50; count++) await post(server.url, null, WHO);
    expect((await server.events()).length).toBe(before);
  });

  describe('under another name (DNS rebinding)', () => {
    /** fetch sets Host by itself. */
    const asked = (headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        const url = new URL('/api/mcp', server.url);
        const request = rawRequest(url, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            ...headers,
          },
        });
        request.on('response', (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        request.on('error', reject);
        request.end(JSON.stringify(WHO));
      });

    it.each([
      [200, {}],
      [200, { origin: 'http://localhost:5173' }],
      [403, { host: 'evil.example' }],
      [403, { origin: 'http://evil.example' }],
      [403, { origin: 'null' }],
    ])('%d for %j', async (status, headers) => {
      expect(await asked(headers as Record<string, string>)).toBe(status);
    });
  });

  it('401 says where its metadata are, and there they are (RFC 9728)', async () => {
    const { headers } = await post(server.url, null, WHO);
    const where = /resource_metadata="([^"]+)"/.exec(headers.get('www-authenticate') ?? '')?.[1] ?? '';
    const { pathname } = new URL(where);
    for (const path of [pathname, '/.well-known/oauth-protected-resource']) {
      expect((await server.call('GET', path)).body).toMatchObject({
        resource: 'http://127.0.0.1/api/mcp',
        bearer_methods_supported: ['header'],
        scopes_supported: expect.arrayContaining(['reports:read', 'tickets:write']),
      });
    }
  });

  it.each(['DELETE', 'PUT', 'OPTIONS'])('%s is not taken', async (method) => {
    const response = await fetch(`${server.url}/api/mcp`, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, POST');
  });

  it('a client that hangs up in the middle of a stream leaves nothing behind', async () => {
    const hangUp = new AbortController();
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
    const open = await fetch(`${server.url}/api/mcp`, { headers, signal: hangUp.signal });
    expect(open.status).toBe(200);
    hangUp.abort();
    const ended = async (): Promise<boolean> =>
      (await server.events('usage-')).some(
        ({ type, data }) => type === 'TokenUseEnded' && (data as TokenUse).token === id,
      );
    while (!(await ended())) await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await post(server.url, token, WHO)).status).toBe(200);
  });
});
