import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, type Body, createToken, startServer, type TestServer } from '../support/server.ts';

describe('the audit trail over REST', () => {
  let server: TestServer;
  let auditor: string;
  let writer: { readonly id: string; readonly token: string };
  let report: string;
  let position: string;

  const ask = (path: string, token = auditor): Promise<Answer> =>
    server.call('GET', `/api/v1/audit${path}`, { token, headers: { 'x-log-position': position } });
  const items = (answer: Answer): Body[] => answer.body['items'] as Body[];

  beforeAll(async () => {
    server = await startServer();
    ({ token: auditor } = await createToken(server, { catalogue: 'writ', scopes: ['audit:read'] }));
    writer = await createToken(server, { catalogue: 'comma', name: 'claude-code', scopes: ['reports:write'] });
    const body = { title: 'Numbers', body: '' };
    const made = await server.call('POST', '/api/v1/reports', { token: writer.token, body });
    report = String(made.body['id']);
    await server.call('GET', '/api/v1/reports', { token: writer.token });
    position = String(await server.log.head());
  }, 120_000);
  afterAll(() => server.close());

  it('P1 shows the write, the refusal and the making of a token, with who, what and from where', async () => {
    const found = items(await ask(`?token=${writer.id}`));
    expect(found.map(({ kind, operation, decision }) => [kind, operation, decision])).toEqual([
      ['use', 'list_reports', 'refused'],
      ['use', 'create_report', 'allowed'],
      ['change', 'create_report', null],
      ['change', 'create_token', null],
    ]);
    expect(found[0]).toMatchObject({
      reason: 'missing_scope',
      status: 403,
      label: 'claude-code',
      client_address: '127.0.0.1',
    });
    expect(items(await ask('?q=missing_scope&face=rest'))).toHaveLength(1);
    const { body } = await ask('/counts?by=operation&decision=refused');
    expect(body['items']).toEqual([{ key: 'list_reports', calls: 1, refused: 1 }]);
  }, 60_000);

  it('answers “who did this?” with the token and the way to its history', async () => {
    const { body } = await ask(`/who/report/${report}`);
    expect(body['tokens']).toMatchObject([{ token: writer.id, history: `/api/v1/tokens/${writer.id}/history` }]);
    expect((await ask(`/who/report/${writer.id}`)).status).toBe(404);
  }, 60_000);

  it('P12 P13 refuses what it does not know, and who may not', async () => {
    for (const query of ['?face=fax', '?from=yesterday', '?kind=x', '/counts', '/counts?by=secret', '/who/report/1'])
      expect([query, (await ask(query)).status]).toEqual([query, 422]);
    expect((await ask('?unattributed=true')).status).toBe(403);
    expect((await ask('?unattributed=true', server.operator)).status).toBe(200);
    const other = await createToken(server, { catalogue: 'writ', scopes: ['tokens:read'] });
    for (const path of ['', '/counts?by=day', `/who/report/${report}`])
      expect((await ask(path, other.token)).status).toBe(403);
  }, 60_000);
});
