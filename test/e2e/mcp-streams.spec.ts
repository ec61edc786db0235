import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ResourceListChangedNotificationSchema,
  ToolListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { callTool, connectCurrent, connectOlder, type McpClient, post } from '../support/mcp.ts';
import { type Answer, createToken, startServer, type TestServer } from '../support/server.ts';

/** What a client heard, to be waited for. */
class Heard {
  readonly #heard: string[] = [];
  #wake: (() => void) | null = null;

  note(what: string): void {
    this.#heard.push(what);
    this.#wake?.();
  }

  async until(what: string, timeoutMs = 20_000): Promise<void> {
    const deadlineMs = Date.now() + timeoutMs;
    while (!this.#heard.includes(what)) {
      const left = deadlineMs - Date.now();
      if (left <= 0) throw new Error(`${what} was not heard, only ${this.#heard.join()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  get all(): readonly string[] {
    return this.#heard;
  }
}

describe('MCP streams', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  }, 120_000);
  afterAll(() => server.close());

  const reports = (more: object = {}) =>
    createToken(server, { catalogue: 'comma', scopes: ['reports:read', 'reports:write'], ...more });
  const change = (id: string, body: object) =>
    server.call('PATCH', `/api/v1/tokens/${id}`, { token: server.operator, body });
  const createReport = async (client: McpClient): Promise<string> => {
    const { structuredContent } = await callTool(client, 'create_report', { title: 'Watched' });
    const head = await server.log.head();
    for (const projection of server.parts.projections) await projection.waitFor(head ?? 0, 20_000);
    return String(structuredContent?.['id']);
  };
  const usesOf = async (token: string): Promise<string[]> =>
    (await server.events('usage-'))
      .map(({ type, data }) => ({ type, ...(data as { token: string; operation: string; outcome?: string }) }))
      .filter((use) => use.token === token)
      .map(({ type, operation, outcome }) => [type, operation, outcome].filter(Boolean).join(' '));
  /** The standing stream of an older client, as it comes. */
  const stream = (token: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/api/mcp`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${token}`, ...headers },
    });
  /**
   * Whether it ends by itself, however, and before the library's next sign of life (15 s): on that a dead token's breaks
   * off in any case.
   */
  const ends = async ({ body }: Response): Promise<boolean> => {
    const reader = body!.getReader();
    const read = async (): Promise<boolean> => {
      try {
        while (!(await reader.read()).done);
      } catch {
        // Cut.
      }
      return true;
    };
    const late = sleep(10_000, false, { ref: false });
    const ended = await Promise.race([read(), late]);
    if (!ended) await reader.cancel();
    return ended;
  };

  it('the current client hears of changed scopes and of a report it watches', async () => {
    const { id, token } = await reports();
    const client = await connectCurrent(server.url, token);
    const heard = new Heard();
    client.setNotificationHandler('notifications/tools/list_changed', () => heard.note('tools'));
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => heard.note(params.uri));
    const report = await createReport(client);
    const uri = `comma://report/${report}`;
    const elsewhere = 'comma://report/01J9ZK00000000000000000000';
    const subscription = await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri, elsewhere] });
    // What cannot be read cannot be watched.
    expect(subscription.honoredFilter).toEqual({ toolsListChanged: true, resourceSubscriptions: [uri] });
    await callTool(client, 'update_report', { id: report, title: 'Changed' });
    await heard.until(uri);
    await change(id, { scopes: ['reports:read'] });
    await heard.until('tools');
    expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain('create_report');
    await client.close();
    expect(await usesOf(id)).toEqual(
      expect.arrayContaining(['TokenUsed mcp_listen', 'TokenUsed mcp_resource_updated']),
    );
  });

  it('the older client hears of the same, and of nothing any more once it unsubscribed', async () => {
    const { id, token } = await reports();
    const client = await connectOlder(server.url, token);
    const heard = new Heard();
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => heard.note('tools'));
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => heard.note(params.uri));
    const report = await createReport(client);
    const uri = `comma://report/${report}`;
    await client.subscribeResource({ uri });
    await callTool(client, 'update_report', { id: report, title: 'Changed' });
    await heard.until(uri);
    await client.unsubscribeResource({ uri });
    await callTool(client, 'update_report', { id: report, title: 'Changed again' });
    await change(id, { scopes: ['reports:read'] });
    await heard.until('tools');
    expect(heard.all.filter((what) => what === uri)).toEqual([uri]);
    await client.close();
  });

  it('P8 who lists hears of what is made within its reach, and of nothing else', async () => {
    const made = async (path: string, body: object): Promise<string> =>
      String((await server.call('POST', path, { token: server.operator, body })).body['id']);
    const companies = [
      await made('/api/v1/admin/companies', { name: 'Acme' }),
      await made('/api/v1/admin/companies', { name: 'Other' }),
    ];
    const projects: string[] = [];
    for (const company of companies) projects.push(await made('/api/v1/admin/projects', { company, name: 'Site' }));
    const agent = (restrict: object) =>
      createToken(server, { catalogue: 'toado', scopes: ['read', 'tickets:write'], restrict });
    const [restricted, anywhere] = [await agent({ companies: [companies[0]] }), await agent({})];
    const heard = new Heard();
    const current = await connectCurrent(server.url, restricted.token);
    current.setNotificationHandler('notifications/resources/list_changed', () => heard.note('current'));
    await current.listen({ resourcesListChanged: true });
    const deaf = await connectCurrent(server.url, restricted.token);
    deaf.setNotificationHandler('notifications/resources/list_changed', () => heard.note('deaf'));
    await deaf.listen({ toolsListChanged: true });
    const older = await connectOlder(server.url, restricted.token);
    older.setNotificationHandler(ResourceListChangedNotificationSchema, () => heard.note('older'));
    const create = (project: string): Promise<Answer> =>
      server.call('POST', '/api/v1/tickets', { token: anywhere.token, body: { project, title: 'Seen?' } });

    expect((await create(projects[1]!)).status).toBe(201);
    while ((await usesOf(restricted.id)).filter((use) => use.endsWith('mcp_resource_updated')).length < 2)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard.all).toEqual([]);
    for (let count = 0; count < 3; count++) expect((await create(projects[0]!)).status).toBe(201);
    await heard.until('current');
    await heard.until('older');
    expect(heard.all).not.toContain('deaf');
    await Promise.all([current, deaf, older].map((client) => client.close()));
  });

  it('P2 a revoked token’s open stream ends, and the end is on record', async () => {
    const { id, token } = await reports();
    const client = await connectCurrent(server.url, token);
    const subscription = await client.listen({ toolsListChanged: true });
    const older = await stream(token);
    expect(older.status).toBe(200);
    await server.call('DELETE', `/api/v1/tokens/${id}`, { token: server.operator });
    expect(await ends(older)).toBe(true);
    expect(await subscription.closed).toMatch(/graceful|remote/);
    expect((await stream(token)).status).toBe(401);
    await client.close();
    expect((await usesOf(id)).filter((use) => use.startsWith('TokenUseEnded mcp_listen'))).toHaveLength(2);
  });

  it.each([
    ['suspended', (id: string) => server.call('POST', `/api/v1/tokens/${id}/suspend`, { token: server.operator })],
    [
      'rotated away',
      (id: string) =>
        server.call('POST', `/api/v1/tokens/${id}/rotate`, { token: server.operator, body: { overlap_seconds: 0 } }),
    ],
    ['expired', (id: string) => change(id, { expires_at: new Date(Date.now() + 1_500).toISOString() })],
  ])('P2 so does that of a token that was %s', async (_, die) => {
    const { id, token } = await reports();
    const open = await stream(token);
    expect((await die(id)).status).toBeLessThan(300);
    expect(await ends(open)).toBe(true);
  });

  it('P2 a token scoped down to nothing of a report is told nothing more of it', async () => {
    const { id, token } = await reports();
    const client = await connectCurrent(server.url, token);
    const heard = new Heard();
    client.setNotificationHandler('notifications/tools/list_changed', () => heard.note('tools'));
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => heard.note(params.uri));
    const report = await createReport(client);
    await client.listen({ toolsListChanged: true, resourceSubscriptions: [`comma://report/${report}`] });
    await change(id, { scopes: ['reports:write'] });
    await heard.until('tools');
    await callTool(client, 'update_report', { id: report, title: 'Changed' });
    await change(id, { scopes: ['reports:write', 'comments:read'] });
    const told = async (): Promise<boolean> => (await usesOf(id)).includes('TokenUsed mcp_resource_updated');
    while (!(await told())) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard.all.filter((what) => what !== 'tools')).toEqual([]);
    await client.close();
  });

  it('a session is one of its token, and of no other', async () => {
    const [mine, others] = await Promise.all([reports(), reports()]);
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'a', version: '1' } },
    };
    const session = String((await post(server.url, mine.token, initialize)).headers.get('mcp-session-id'));
    const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
    const asked = async (token: string, id: string): Promise<number> =>
      (await post(server.url, token, ping, { 'mcp-session-id': id })).status;
    expect(await asked(mine.token, session)).toBe(200);
    expect(await asked(others.token, session)).toBe(404);
    expect(await asked(mine.token, `${session}x`)).toBe(404);
    expect((await stream(others.token, { 'mcp-session-id': session })).status).toBe(404);
  });

  it('P11 a token holds so many streams and no more', async () => {
    const { token } = await reports();
    const controllers: Response[] = [];
    for (let count = 0; count < 32; count++) controllers.push(await stream(token));
    expect(controllers.map(({ status }) => status)).toEqual(Array.from({ length: 32 }, () => 200));
    expect((await stream(token)).status).toBe(429);
    // One that hangs up makes room for another.
    await controllers[0]?.body?.cancel();
    let again = await stream(token);
    for (let tries = 0; again.status !== 200 && tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      again = await stream(token);
    }
    expect(again.status).toBe(200);
    await Promise.all([...controllers.slice(1), again].map((open) => open.body?.cancel()));
  });

  it('P4 without news of tokens no stream stays open, and none opens', async () => {
    const { token } = await reports();
    const open = await stream(token);
    const { head } = server.log;
    server.log.head = () => Promise.reject(new Error('cut off'));
    try {
      expect(await ends(open)).toBe(true);
      const refused = await stream(token);
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      server.log.head = head;
    }
  });
});
