import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client as CurrentClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as CurrentTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { callTool, CLIENT_INFO } from '../support/mcp.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';

/** How an editor's file says a server is started. */
interface Started {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

/** Built by `npm test`, as an editor starts it. */
const BRIDGE = 'dist/apps/mcp-stdio/main.js';

describe('writ-mcp', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  }, 120_000);
  afterAll(() => server.close());

  const reports = () => createToken(server, { catalogue: 'comma', scopes: ['reports:read', 'reports:write'] });
  const environment = (token: string): Record<string, string> => ({ COMMA_API_TOKEN: token, WRIT_URL: server.url });
  const started = (env: Record<string, string>) => ({
    command: process.execPath,
    args: [BRIDGE],
    env,
    stderr: 'pipe' as const,
  });

  const CONNECT = [
    [
      'the current client',
      async (env: Record<string, string>) => {
        const client = new CurrentClient(CLIENT_INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
        await client.connect(new CurrentTransport(started(env)), { timeout: 60_000 });
        return client;
      },
    ],
    [
      'the older client',
      async (env: Record<string, string>) => {
        const client = new OlderClient(CLIENT_INFO);
        await client.connect(new OlderTransport(started(env)), { timeout: 60_000 });
        return client;
      },
    ],
  ] as const;

  it.each(CONNECT)(
    'carries all that %s asks, and what the server says by itself',
    async (_, connect) => {
      const { id, token } = await reports();
      const client = await connect(environment(token));
      const changed = Promise.withResolvers<void>();
      client.fallbackNotificationHandler = async ({ method }) => {
        if (method === 'notifications/tools/list_changed') changed.resolve();
      };
      const subscription = client instanceof CurrentClient ? await client.listen({ toolsListChanged: true }) : null;
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain('create_report');
      const created = await callTool(client, 'create_report', { title: 'By an editor' });
      expect(created.structuredContent?.['by']).toMatchObject({ text: 'Operator (test) · via MCP · just now' });
      await server.call('PATCH', `/api/v1/tokens/${id}`, {
        token: server.operator,
        body: { scopes: ['reports:read'] },
      });
      await changed.promise;
      expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain('create_report');
      await subscription?.close();
      await client.close();
    },
    120_000,
  );

  /** The README's blocks to paste, each with the editor's own way to name a variable. */
  const blocks = [...readFileSync('README.md', 'utf8').matchAll(/<!-- editor -->\s+```json\n(.*?)```/gs)].map(
    ([, block = '']) => block,
  );

  it.each(blocks)(
    'is started as the README says: %#',
    async (block) => {
      const { token } = await reports();
      const variables = environment(token);
      const filled = block.replaceAll(/\$\{(?:env:)?(\w+)(?::-[^}]*)?\}/g, (_, name: string) => variables[name] ?? '');
      const { mcpServers, servers } = JSON.parse(filled) as Record<string, Record<string, Started> | undefined>;
      const { command, args, env } = Object.values(mcpServers ?? servers ?? {})[0]!;
      expect(command).toBe('writ-mcp');
      const client = new OlderClient(CLIENT_INFO);
      await client.connect(new OlderTransport({ command: process.execPath, args: [BRIDGE, ...args], env }), {
        timeout: 60_000,
      });
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain('create_report');
      await client.close();
    },
    120_000,
  );

  it('has three such blocks', () => {
    expect(blocks).toHaveLength(3);
  });

  /** What it says on standard error, and how it ends. */
  const ended = async (child: ChildProcess): Promise<{ readonly code: number; readonly said: string }> => {
    let said = '';
    child.stderr?.on('data', (data: Buffer) => (said += data.toString()));
    const [code] = (await once(child, 'exit')) as [number];
    return { code, said: said.trim() };
  };
  const bridge = (env: Record<string, string>, args: readonly string[] = []): ChildProcess =>
    spawn(process.execPath, [BRIDGE, ...args], { env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const initialize = `${JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: CLIENT_INFO },
  })}\n`;

  it.each([
    [
      'a wrong token',
      () => environment('comma_sk_wrong'),
      1,
      /^writ-mcp: the token in COMMA_API_TOKEN is wrong, expired or revoked: [^.]*\.$/,
    ],
    [
      'no server',
      () => ({ COMMA_API_TOKEN: 'comma_sk_any', WRIT_URL: 'http://127.0.0.1:9' }),
      3,
      /^writ-mcp: no server answers at http:\/\/127\.0\.0\.1:9: [^.]*\.$/,
    ],
    ['no token', () => ({}), 2, /^writ-mcp: Set TOADO_API_TOKEN or COMMA_API_TOKEN to the token/],
    [
      'two tokens',
      () => ({ COMMA_API_TOKEN: 'a', TOADO_API_TOKEN: 'b' }),
      2,
      /TOADO_API_TOKEN and COMMA_API_TOKEN are both set: say which by an argument, like writ-mcp toado\.$/,
    ],
    ['a wrong address', () => ({ COMMA_API_TOKEN: 'a', WRIT_URL: 'writ' }), 2, /WRIT_URL must begin with http/],
  ])(
    'says in one sentence: %s',
    async (_, env, code, sentence) => {
      const child = bridge(env());
      child.stdin?.on('error', () => undefined);
      child.stdin?.write(initialize);
      const end = await ended(child);
      expect(end.said.split('\n')).toHaveLength(1);
      expect(end).toEqual({ code, said: expect.stringMatching(sentence) });
    },
    60_000,
  );

  it('P2 ends with one sentence when its token is revoked', async () => {
    const { id, token } = await reports();
    const child = bridge(environment(token), ['comma']);
    const end = ended(child);
    const answered = once(child.stdout!, 'data');
    child.stdin?.write(initialize);
    await answered;
    child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
    await server.call('DELETE', `/api/v1/tokens/${id}`, { token: server.operator });
    child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'ping' })}\n`);
    expect(await end).toEqual({ code: 1, said: expect.stringMatching(/COMMA_API_TOKEN is wrong, expired or revoked/) });
    expect((await end).said).not.toContain(token.slice(-38));
  }, 60_000);

  it('ends with its editor', async () => {
    const { token } = await reports();
    const child = bridge(environment(token));
    const end = ended(child);
    child.stdin?.end();
    expect(await end).toEqual({ code: 0, said: '' });
  }, 60_000);
});
