import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createToken, startServer, type TestServer } from '../support/server.ts';

describe('offboarding', () => {
  let server: TestServer;
  let leaver: string;
  let stayer: string;

  const person = async (name: string): Promise<string> => {
    const { status, body } = await server.call('POST', '/api/v1/admin/people', {
      token: server.operator,
      body: { name },
    });
    expect(status).toBe(201);
    return String(body['id']);
  };
  const revoke = (id: string, token = server.operator, body: object = {}) =>
    server.call('POST', `/api/v1/admin/people/${id}/revoke-tokens`, { token, body });
  const own = (owner: string) => createToken(server, { catalogue: 'comma', scopes: ['reports:read'], owner });
  const answers = async (token: string): Promise<number> => (await server.call('GET', '/api/v1/me', { token })).status;

  beforeAll(async () => {
    server = await startServer();
    leaver = await person('Leaver');
    stayer = await person('Stayer');
  });
  afterAll(() => server.close());

  it('P2 ends every token of the person at once, rotated and suspended ones too, and nobody else’s', async () => {
    const tokens = await Promise.all(Array.from({ length: 5 }, () => own(leaver)));
    const other = await own(stayer);
    const [first, second] = tokens;
    await server.call('POST', `/api/v1/tokens/${first?.id}/suspend`, { token: server.operator, body: {} });
    const rotated = await server.call('POST', `/api/v1/tokens/${second?.id}/rotate`, {
      token: server.operator,
      body: {},
    });
    const successor = { id: String(rotated.body['id']), token: String(rotated.body['token']) };

    const { status, body } = await revoke(leaver, server.operator, { note: 'left' });
    expect(status).toBe(200);
    const all = [...tokens, successor];
    expect([...(body['revoked'] as string[])].toSorted()).toEqual(all.map(({ id }) => id).toSorted());
    for (const { token } of all) expect(await answers(token)).toBe(401);
    expect(await answers(other.token)).toBe(200);

    const ends = (await server.events('token-')).filter(({ type }) => type === 'TokenRevoked');
    expect(ends.map(({ data }) => data)).toEqual(
      all.map(() => expect.objectContaining({ reason: 'offboarding', note: 'left' })),
    );
    // The use of the call is on record once.
    const uses = (await server.events('usage-')).filter(
      ({ data }) => (data as { operation?: string }).operation === 'revoke_tokens_of_person',
    );
    expect(uses).toHaveLength(1);
  });

  it('asked again ends only what is left', async () => {
    expect((await revoke(leaver)).body).toEqual({ person: leaver, revoked: [] });
    const late = await own(leaver);
    expect((await revoke(leaver)).body).toEqual({ person: leaver, revoked: [late.id] });
  });

  it('P13 is for those who may write people, and for people who are here', async () => {
    const kept = await own(stayer);
    const weak = await createToken(server, { catalogue: 'writ', scopes: ['tokens:write'] });
    expect(await revoke(stayer, weak.token)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await revoke('01J9ZK3V8Q6T4W2Y0B7D5F1G3H')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await answers(kept.token)).toBe(200);
  });
});
