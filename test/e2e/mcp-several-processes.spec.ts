import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { EventStoreDouble } from '../doubles/eventstoredb/server.ts';
import { callTool, connectCurrent, post } from '../support/mcp.ts';
import { foundWorkspace } from '../support/found-workspace.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { startSharedParts } from '../support/shared-parts.ts';

jest.setTimeout(180_000);

describe('MCP over two API processes', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-mcp-several-'));
  const ending: (() => Promise<unknown>)[] = [];
  let double: EventStoreDouble;
  let one: ServerProcess;
  let two: ServerProcess;
  let operator: string;

  const manage = (path: string, method: string, body?: object): Promise<Response> =>
    fetch(`${one.url}/api/v1/tokens${path}`, {
      method,
      headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const create = async (): Promise<{ readonly id: string; readonly token: string }> => {
    const answer = await manage('', 'POST', {
      catalogue: 'comma',
      name: 'a',
      scopes: ['reports:read', 'reports:write'],
    });
    expect(answer.status).toBe(201);
    return (await answer.json()) as { id: string; token: string };
  };
  const stream = (server: ServerProcess, token: string, session?: string): Promise<Response> =>
    fetch(`${server.url}/api/mcp`, {
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        ...(session === undefined ? {} : { 'mcp-session-id': session }),
      },
    });
  /** What a stream says until it has said this, or until it ends. */
  const heard = async (response: Response, until?: string): Promise<string> => {
    let text = '';
    try {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        text += Buffer.from(chunk).toString();
        if (until !== undefined && text.includes(until)) break;
      }
    } catch {
      // Cut.
    }
    return text;
  };

  beforeAll(async () => {
    const { eventstore, env, stop } = await startSharedParts('MCP over several processes', dataDir);
    ending.push(stop);
    double = eventstore;
    operator = await foundWorkspace(env);
    [one, two] = await Promise.all([startServerProcess(env, 120_000), startServerProcess(env, 120_000)]);
    ending.push(
      () => one.stop(),
      () => two.stop(),
    );
  });
  afterAll(async () => {
    for (const end of ending.toReversed()) await end();
    rmSync(dataDir, { recursive: true });
  });

  it('P2 a stream on one process ends when its token is revoked on the other', async () => {
    const { id, token } = await create();
    const client = await connectCurrent(two.url, token);
    const subscription = await client.listen({ toolsListChanged: true });
    const open = await stream(two, token);
    expect(open.status).toBe(200);
    expect((await manage(`/${id}`, 'DELETE')).status).toBe(200);
    expect(await subscription.closed).toMatch(/graceful|remote/);
    await heard(open);
    await client.close();
  });

  it('a changed scope is told on whichever process the stream is', async () => {
    const { id, token } = await create();
    const open = await stream(two, token);
    await manage(`/${id}`, 'PATCH', { scopes: ['reports:read'] });
    expect(await heard(open, 'tools/list_changed')).toContain('notifications/tools/list_changed');
  });

  it('a session begun on one goes on on the other, what it watches included', async () => {
    const { token } = await create();
    const ask = async (server: ServerProcess, method: string, params: object, session?: string) => {
      const { headers, json } = await post(
        server.url,
        token,
        { jsonrpc: '2.0', id: 1, method, params },
        session === undefined ? {} : { 'mcp-session-id': session },
      );
      return { session: headers.get('mcp-session-id') ?? '', result: json['result'] as Record<string, unknown> };
    };
    const { session } = await ask(one, 'initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'roaming', version: '1' },
    });
    const client = await connectCurrent(one.url, token);
    const { structuredContent } = await callTool(client, 'create_report', { title: 'Watched' });
    const id = String(structuredContent?.['id']);
    const uri = `comma://report/${id}`;
    const open = await stream(two, token, session);
    // Until the read models of both have it.
    for (let tries = 0; (await ask(two, 'resources/subscribe', { uri }, session)).result === undefined; tries++) {
      if (tries > 100) throw new Error('it cannot be watched');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await callTool(client, 'update_report', { id, title: 'Changed' });
    expect(await heard(open, uri)).toContain('notifications/resources/updated');
    await client.close();
  });

  it('P4 P2 without the log no stream stays open', async () => {
    const { token } = await create();
    const open = await Promise.all([stream(one, token), stream(two, token)]);
    expect(open.map(({ status }) => status)).toEqual([200, 200]);
    double.stop();
    await Promise.all(open.map((response) => heard(response)));
    expect((await stream(one, token)).status).toBe(503);
  });
});
