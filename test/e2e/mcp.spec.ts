import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TokenUse } from '../../libs/usage/use.ts';
import { callTool, CLIENTS, post } from '../support/mcp.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';

describe('MCP', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  }, 120_000);
  afterAll(() => server.close());

  const reports = (scopes: readonly string[] = ['reports:read', 'reports:write']) =>
    createToken(server, { catalogue: 'comma', scopes });
  const uses = async (token: string): Promise<TokenUse[]> =>
    (await server.events())
      .flatMap(({ data, metadata }) => [data as TokenUse, metadata['use'] as TokenUse | undefined])
      .filter((use) => use?.token === token && use.operation !== undefined) as TokenUse[];

  describe.each(CLIENTS)('spoken by %s', (_, connect) => {
    it('P7 offers only what the token may do, each with schemas and hints', async () => {
      const { token } = await reports(['reports:read']);
      const client = await connect(server.url, token);
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual([
        'can_i',
        'get_report',
        'list_report_activity',
        'list_reports',
        'who_am_i',
      ]);
      expect(tools.find(({ name }) => name === 'get_report')).toMatchObject({
        title: 'Read a report',
        description: 'One report, with who wrote it last.',
        inputSchema: { type: 'object', required: ['id'], additionalProperties: false },
        outputSchema: { type: 'object', required: expect.arrayContaining(['id', 'by']) },
        annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
      });
      await client.close();
    });

    it('writes and reads through the tools, and says who wrote and over which face', async () => {
      const { token } = await reports();
      const client = await connect(server.url, token);
      const created = await callTool(client, 'create_report', { title: 'Week 48' });
      expect(created.structuredContent).toMatchObject({ title: 'Week 48', version: 0 });
      expect(created.structuredContent?.['by']).toMatchObject({ text: 'Operator (test) · via MCP · just now' });
      expect(JSON.parse(created.content[1]?.text ?? '')).toEqual(created.structuredContent);
      const id = String(created.structuredContent?.['id']);
      await caughtUp();
      expect((await callTool(client, 'get_report', { id })).structuredContent).toMatchObject({ id, title: 'Week 48' });
      await client.close();
    });

    it('reads and lists reports as resources', async () => {
      const { token } = await reports();
      const client = await connect(server.url, token);
      const { structuredContent } = await callTool(client, 'create_report', { title: 'A resource' });
      await caughtUp();
      const uri = `comma://report/${String(structuredContent?.['id'])}`;
      expect((await client.listResourceTemplates()).resourceTemplates).toEqual([
        expect.objectContaining({ uriTemplate: 'comma://report/{id}' }),
      ]);
      expect((await client.listResources()).resources).toContainEqual(
        expect.objectContaining({ uri, name: 'A resource', mimeType: 'application/json' }),
      );
      const { contents } = await client.readResource({ uri });
      expect(JSON.parse((contents[0] as { text: string }).text)).toMatchObject({ title: 'A resource' });
      await expect(client.readResource({ uri: 'comma://report/01J9ZK00000000000000000000' })).rejects.toThrow(
        /not found/i,
      );
      await expect(client.readResource({ uri: 'file:///etc/passwd' })).rejects.toThrow(/no such resource/);
      await client.close();
    });

    it('says what an agent can do about a refusal', async () => {
      const { token } = await reports(['reports:read']);
      const client = await connect(server.url, token);
      const lacking = await callTool(client, 'create_report', { title: 'No' });
      expect(lacking).toMatchObject({ isError: true, _meta: { 'writ/problem': { missing_scope: 'reports:write' } } });
      expect(lacking.content[0]?.text).toMatch(/lacks the scope reports:write\. Ask its owner/);
      const wrong = await callTool(client, 'get_report', { id: 'x', more: 1 });
      expect(wrong).toMatchObject({ isError: true, _meta: { 'writ/problem': { status: 422 } } });
      expect(wrong.content[0]?.text).toMatch(/id: must be an id/);
      await expect(callTool(client, 'no_such_tool', {})).rejects.toThrow(/There is no such tool/);
      await client.close();
    });

    it('P1 P5 has handshakes on record, by the name the client gives itself, and off the read budget', async () => {
      const { id, token } = await reports(['reports:read']);
      const client = await connect(server.url, token);
      await client.listTools();
      await callTool(client, 'who_am_i', {});
      await client.close();
      const recorded = await uses(id);
      const handshakes = recorded.filter(({ budget }) => budget === 'handshakes');
      expect(handshakes.map(({ operation }) => operation)).toContain('mcp_list_tools');
      expect(handshakes.map(({ operation }) => operation)).toContainEqual(
        expect.stringMatching(/^mcp_(initialize|discover)$/),
      );
      expect(recorded.filter(({ budget }) => budget === 'reads').map(({ operation }) => operation)).toEqual([
        'who_am_i',
      ]);
      for (const { face, client_name } of recorded)
        expect({ face, client_name }).toEqual({ face: 'mcp', client_name: 'spec 1.2.3' });
      expect(JSON.stringify(recorded)).not.toContain(token.slice(-38));
    });

    it('P2 a revoked token is answered 401 at once', async () => {
      const { id, token } = await reports();
      const client = await connect(server.url, token);
      await callTool(client, 'who_am_i', {});
      await server.call('DELETE', `/api/v1/tokens/${id}`, { token: server.operator });
      await expect(callTool(client, 'who_am_i', {})).rejects.toThrow(/unauthorized/i);
      await client.close();
    });
  });

  it('P7 a change depends on the version an agent has read, as it does on REST', async () => {
    const { token } = await reports();
    const ask = (name: string, given: object) =>
      post(server.url, token, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: given } });
    const made = (await ask('create_report', { title: 'One' })).json['result'] as { structuredContent: { id: string } };
    const { id } = made.structuredContent;
    const change = { id, title: 'Two', if_version: 0 };
    expect((await ask('update_report', change)).json['result']).toMatchObject({ structuredContent: { version: 1 } });
    expect((await ask('update_report', change)).json['result']).toMatchObject({
      isError: true,
      _meta: { 'writ/problem': { status: 412 } },
    });
  });

  it('a write repeated under its key is done once', async () => {
    const { token } = await reports();
    const params = { name: 'create_report', arguments: { title: 'Once' }, _meta: { 'writ/idempotency-key': 'k1' } };
    const ask = async (): Promise<unknown> => {
      const { json } = await post(server.url, token, { jsonrpc: '2.0', id: 1, method: 'tools/call', params });
      return (json['result'] as { structuredContent: { id: string } }).structuredContent.id;
    };
    expect(await ask()).toBe(await ask());
  });

  /** Until the read models are where the log is. */
  async function caughtUp(): Promise<void> {
    const head = await server.log.head();
    for (const projection of server.parts.projections) await projection.waitFor(head ?? 0, 20_000);
  }
});
