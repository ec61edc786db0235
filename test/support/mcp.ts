import {
  Client as CurrentClient,
  StreamableHTTPClientTransport as CurrentTransport,
} from '@modelcontextprotocol/client';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport as OlderTransportPort } from '@modelcontextprotocol/sdk/shared/transport.js';

/** Clients that others wrote. */
export type McpClient = CurrentClient | OlderClient;

export const CLIENT_INFO = { name: 'spec', version: '1.2.3' };

const endpoint = (url: string): URL => new URL('/api/mcp', url);
const asOf = (token: string) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

/** `@modelcontextprotocol/client` at the current revision of the protocol. */
export async function connectCurrent(url: string, token: string): Promise<CurrentClient> {
  const client = new CurrentClient(CLIENT_INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new CurrentTransport(endpoint(url), asOf(token)));
  return client;
}

/** The same client, by the handshake of older revisions. */
export async function connectByHandshake(url: string, token: string): Promise<CurrentClient> {
  const client = new CurrentClient(CLIENT_INFO, { versionNegotiation: { mode: 'legacy' } });
  await client.connect(new CurrentTransport(endpoint(url), asOf(token)));
  return client;
}

/** `@modelcontextprotocol/sdk` 1, the line before. */
export async function connectOlder(url: string, token: string): Promise<OlderClient> {
  const client = new OlderClient(CLIENT_INFO);
  // Its own transport does not satisfy its own port under exactOptionalPropertyTypes.
  await client.connect(new OlderTransport(endpoint(url), asOf(token)) as OlderTransportPort);
  return client;
}

export const CLIENTS = [
  ['the current client', connectCurrent],
  ['the current client by the older handshake', connectByHandshake],
  ['the older client', connectOlder],
] as const;

/** What a tool answered, as far as the specs look at it. */
export interface ToolAnswer {
  readonly isError?: boolean;
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly _meta?: Readonly<Record<string, unknown>>;
}

export const callTool = async (client: McpClient, name: string, given: Record<string, unknown>): Promise<ToolAnswer> =>
  (await client.callTool({ name, arguments: given })) as ToolAnswer;

/** A message posted as it is. */
export async function post(
  url: string,
  token: string | null,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}> {
  const response = await fetch(endpoint(url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text.startsWith('{') ? JSON.parse(text) : {},
  };
}
