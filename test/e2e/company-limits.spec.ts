import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createToken, startServer, type TestServer } from '../support/server.ts';

interface Limits {
  readonly reads: { readonly per_minute: number; readonly used: number };
  readonly writes: { readonly per_minute: number; readonly used: number };
}

describe('a company’s limits', () => {
  let server: TestServer;
  let company: string;
  let token: { readonly id: string; readonly token: string };

  const asOperator = (method: string, path: string, body?: object) =>
    server.call(method, path, { token: server.operator, body });
  const change = (limits: object) => asOperator('PATCH', `/api/v1/admin/companies/${company}/limits`, limits);
  const limitsOf = async (path: string): Promise<number[]> => {
    const { body } = await asOperator('GET', path);
    const { reads, writes } = body['limits'] as Limits;
    return [reads.per_minute, writes.per_minute];
  };

  beforeAll(async () => {
    server = await startServer();
    const created = await asOperator('POST', '/api/v1/admin/companies', { name: 'Acme' });
    company = String(created.body['id']);
    token = await createToken(server, { catalogue: 'toado', scopes: ['read'], restrict: { companies: [company] } });
  });
  afterAll(() => server.close());

  it('P3 P10 P13 are in force for its tokens on the next call, and in every record', async () => {
    const before = new Date().toISOString();
    expect(await limitsOf(`/api/v1/tokens/${token.id}`)).toEqual([600, 60]);
    expect((await change({ reads: { per_minute: 3 }, writes: { per_minute: 2 } })).status).toBe(200);

    const answers = [];
    for (let call = 0; call < 4; call++) answers.push(await server.call('GET', '/api/v1/me', { token: token.token }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers[0]!.body['limits']).toEqual({
      reads: { per_minute: 3, used: 1 },
      writes: { per_minute: 2, used: 0 },
    });
    expect(await limitsOf(`/api/v1/tokens/${token.id}`)).toEqual([3, 2]);
    const { body: list } = await asOperator('GET', '/api/v1/tokens?catalogue=toado');
    expect((list['items'] as { limits: Limits }[])[0]!.limits.reads).toEqual({ per_minute: 3, used: 3 });
    // As it was.
    expect(await limitsOf(`/api/v1/tokens/${token.id}?at=${before}`)).toEqual([600, 60]);

    await change({ reads: null });
    expect((await server.call('GET', '/api/v1/me', { token: token.token })).status).toBe(200);
    expect(await limitsOf(`/api/v1/tokens/${token.id}`)).toEqual([600, 2]);
  });

  it('P13 no token is pinned to a company that is given more than its giver holds', async () => {
    await change({ reads: { per_minute: 5_000 }, writes: null });
    const giver = await createToken(server, { catalogue: 'writ', scopes: ['tokens:write'] });
    const pinned = { catalogue: 'toado', name: 'pinned', scopes: ['read'], restrict: { companies: [company] } };
    const refused = await server.call('POST', '/api/v1/tokens', { token: giver.token, body: pinned });
    expect([refused.status, refused.body['code']]).toEqual([403, 'forbidden']);
    const limited = { ...pinned, limits: { reads: { per_minute: 600 } } };
    const given = await server.call('POST', '/api/v1/tokens', { token: giver.token, body: limited });
    expect([given.status, (given.body['limits'] as Limits).reads.per_minute]).toEqual([201, 600]);
  });
});
