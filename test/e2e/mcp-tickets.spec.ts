import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callTool, connectCurrent, connectOlder } from '../support/mcp.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';
import { type MadeProject, makeProject } from '../support/toado.ts';

describe('tickets over MCP', () => {
  let server: TestServer;
  let inside: MadeProject;
  let outside: MadeProject;
  /** Of one project only. */
  let pinned: { readonly id: string; readonly token: string };
  let free: string;

  beforeAll(async () => {
    server = await startServer();
    inside = await makeProject(server);
    outside = await makeProject(server, inside.company);
    const toado = { catalogue: 'toado', scopes: ['read', 'tickets:write'] };
    const restrict = { companies: [inside.company], projects: [inside.project] };
    pinned = await createToken(server, { ...toado, restrict });
    free = (await createToken(server, toado)).token;
  }, 120_000);
  afterAll(() => server.close());

  const create = async (project: string, title: string): Promise<string> => {
    const { status, body, headers } = await server.call('POST', '/api/v1/tickets', {
      token: free,
      body: { project, title },
    });
    expect(status).toBe(201);
    const position = headers.get('x-log-position') ?? '';
    await server.call('GET', '/api/v1/tickets', { token: free, headers: { 'x-log-position': position } });
    return String(body['id']);
  };
  const told = async (): Promise<number> =>
    (await server.events('usage-')).filter(({ data }) => {
      const { token, operation } = data as { readonly token: string; readonly operation: string };
      return token === pinned.id && operation === 'mcp_resource_updated';
    }).length;

  it('P8 lists, reads and watches those within its restriction, and no other', async () => {
    const [mine, others] = [await create(inside.project, 'Mine'), await create(outside.project, 'Not mine')];
    const uri = (id: string): string => `toado://ticket/${id}`;
    const client = await connectCurrent(server.url, pinned.token);
    const { resources } = await client.listResources();
    expect(resources.map((resource) => resource.uri)).toContain(uri(mine));
    expect(resources.map((resource) => resource.uri)).not.toContain(uri(others));
    expect(JSON.stringify(await client.readResource({ uri: uri(mine) }))).toContain('Mine');
    await expect(client.readResource({ uri: uri(others) })).rejects.toThrow(/not found/i);
    const { honoredFilter } = await client.listen({ resourceSubscriptions: [uri(mine), uri(others)] });
    expect(honoredFilter.resourceSubscriptions).toEqual([uri(mine)]);
    await client.close();
    const older = await connectOlder(server.url, pinned.token);
    await expect(older.subscribeResource({ uri: uri(others) })).rejects.toThrow(/not found/i);
    await older.close();
  });

  it('P8 hears of a ticket until it is moved out of its restriction, and not of the move', async () => {
    const id = await create(inside.project, 'Here today');
    const uri = `toado://ticket/${id}`;
    const client = await connectCurrent(server.url, pinned.token);
    const updates: string[] = [];
    const first = Promise.withResolvers<void>();
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      updates.push(params.uri);
      first.resolve();
    });
    await client.listen({ resourceSubscriptions: [uri] });
    await callTool(client, 'update_ticket', { id, title: 'Changed' });
    await first.promise;
    const before = await told();
    const column = outside.columns[0];
    const moved = await server.call('POST', `/api/v1/tickets/${id}/move`, {
      token: free,
      body: { project: outside.project, column },
    });
    expect(moved.status).toBe(200);
    // The gate was asked whether it may be told, and said no.
    while ((await told()) === before) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(updates).toEqual([uri]);
    await client.close();
  });
});
