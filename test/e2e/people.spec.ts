import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, createToken, startServer, type TestServer } from '../support/server.ts';

describe('people and members', () => {
  let server: TestServer;
  let founder: string;
  const companies: string[] = [];

  const asOperator = (method: string, path: string, body?: unknown): Promise<Answer> =>
    server.call(method, path, { token: server.operator, ...(body === undefined ? {} : { body }) });
  const add = async (name: string): Promise<string> =>
    String((await asOperator('POST', '/api/v1/admin/people', { name })).body['id']);
  const join = (company: string, person: string): Promise<Answer> =>
    asOperator('POST', `/api/v1/admin/companies/${company}/members`, { person });
  const members = async (token: string, query = ''): Promise<string[]> => {
    const headers = { 'x-log-position': String(await server.log.head()) };
    const { body } = await server.call('GET', `/api/v1/members${query}`, { token, headers });
    return (body['items'] as { name: string; company: string }[])
      .map(({ name, company }) => `${name} of ${companies.indexOf(company)}`)
      .toSorted();
  };

  beforeAll(async () => {
    server = await startServer();
    founder = String(((await asOperator('GET', '/api/v1/me')).body['owner'] as { id: string }).id);
    for (const name of ['Acme', 'Bolt']) {
      companies.push(String((await asOperator('POST', '/api/v1/admin/companies', { name })).body['id']));
    }
  });
  afterAll(() => server.close());

  it('P8 a token pinned to a company sees its members only', async () => {
    const [acme = '', bolt = ''] = companies;
    const ada = await add('Ada');
    for (const company of [acme, bolt]) expect((await join(company, ada)).status).toBe(200);
    await join(bolt, await add('Bo'));
    const founding = await join(acme, founder);
    expect(founding.body).toMatchObject({ id: founder, name: 'Operator', companies: [acme], version: 1 });

    const everywhere = await createToken(server, { catalogue: 'toado', scopes: ['read'] });
    const pinned = await createToken(server, { catalogue: 'toado', scopes: ['read'], restrict: { companies: [acme] } });
    const all = ['Ada of 0', 'Ada of 1', 'Bo of 1', 'Operator of 0'];
    expect(await members(everywhere.token)).toEqual(all);
    expect(await members(everywhere.token, `?company=${bolt}`)).toEqual(['Ada of 1', 'Bo of 1']);
    expect(await members(pinned.token)).toEqual(['Ada of 0', 'Operator of 0']);
    expect(await members(pinned.token, `?company=${bolt}`)).toEqual([]);

    expect((await asOperator('DELETE', `/api/v1/admin/companies/${acme}/members/${ada}`)).status).toBe(200);
    expect(await members(pinned.token)).toEqual(['Operator of 0']);
    expect((await asOperator('DELETE', `/api/v1/admin/companies/${acme}/members/${ada}`)).status).toBe(404);
  });

  it('a person owns tokens, under the name they have then', async () => {
    const id = await add('Grace');
    const renamed = await asOperator('PATCH', `/api/v1/admin/people/${id}`, { name: 'Grace H' });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'Grace H', version: 1 } });
    const { token } = await createToken(server, { catalogue: 'comma', scopes: ['reports:write'], owner: id });
    const report = await server.call('POST', '/api/v1/reports', { token, body: { title: 'a title' } });
    expect(report.body).toMatchObject({
      by: { owner: { id, name: 'Grace H' }, text: expect.stringMatching(/^Grace H/) },
    });
    expect((await asOperator('GET', '/api/v1/admin/people?limit=1')).body).toMatchObject({
      items: [{ id, name: 'Grace H', companies: [] }],
    });
  });

  it('P12 nobody joins what is not there, nor nobody anything', async () => {
    const nobody = '01J9ZK3V8Q6T4W2Y0B7D5F1G3H';
    expect((await join(nobody, founder)).status).toBe(404);
    expect((await join(companies[0]!, nobody)).status).toBe(404);
    expect((await asOperator('POST', '/api/v1/admin/people', { name: 'Eve (root)' })).status).toBe(422);
  });
});
