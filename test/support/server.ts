import type { Provider } from '@nestjs/common';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve, type Server } from '../../apps/api/serve.ts';
import type { Parts } from '../../apps/api/compose.ts';
import type { EventLog, RecordedEvent } from '../../libs/event-log/event-log.ts';
import { readOperatorToken } from '../../libs/founding/operator-token-file.ts';
import { createLogger } from '../../libs/logging/logger.ts';
import type { Settings } from '../../libs/settings/settings.ts';

/** The parsed body of an answer; specs look at the members they know. */
export type Body = Record<string, unknown>;

export interface CallOptions {
  /** Null: no credential. Default: none. */
  readonly token?: string | null;
  /** A text is sent as it is, anything else as JSON; either as `application/json` unless a header says otherwise. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** The whole server in this process, embedded parts, a log of its own. */
export interface TestServer {
  readonly url: string;
  readonly dataDir: string;
  /** The operator's token. */
  readonly operator: string;
  readonly parts: Parts;
  readonly log: EventLog;
  readonly app: Server['app'];
  /** Every line the server has logged. */
  readonly logged: readonly string[];
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Every event whose stream starts so; all when not given. */
  events(streamPrefix?: string): Promise<RecordedEvent[]>;
  close(): Promise<void>;
}

/** Starts on a free loopback port, with a data directory that `close` removes (unless one was given). */
export async function startServer(
  options: Partial<Settings> = {},
  clock = Date.now,
  products: readonly Provider[] = [],
): Promise<TestServer> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'writ-e2e-'));
  const logged: string[] = [];
  const server = await serve(
    {
      port: 0,
      host: '127.0.0.1',
      eventStoreUrl: null,
      redisUrl: null,
      databaseUrl: null,
      personKeysUrl: null,
      publicUrl: 'http://127.0.0.1',
      cataloguesFolder: null,
      sample: false,
      assets: null,
      allowedHosts: [],
      leadsProjections: true,
      signingKeyFile: null,
      witnesses: [],
      scheduledExport: null,
      archiveFolder: null,
      usageMaxAgeDays: null,
      siem: [],
      ...options,
      dataDir,
    },
    createLogger({ write: (line) => logged.push(line) }, 'trace'),
    clock,
    products,
  );
  const operator = readOperatorToken(dataDir);
  if (operator === null) throw new Error('founding left no operator token');
  const { log } = server.parts;
  return {
    url: server.url,
    dataDir,
    operator,
    parts: server.parts,
    log,
    app: server.app,
    logged,
    call: (method, path, how) =>
      method === 'GET' ? read(server.url, log, path, how) : call(server.url, method, path, how),
    events: (streamPrefix) =>
      Array.fromAsync(log.readAll(streamPrefix === undefined ? {} : { streamPrefixes: [streamPrefix] })),
    async close() {
      await server.close();
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Longest that a reader asks again: on a busy machine a read model may be late for more than the 2 s it is waited for. */
const LATE_MS = 60_000;

/** A reader that has seen all that was written (DESIGN §5), unless it says what it has seen; told to retry, it does. */
async function read(url: string, log: EventLog, path: string, options: CallOptions = {}): Promise<Answer> {
  const head = await log.head().catch(() => null);
  if (head === null || options.headers?.['x-log-position'] !== undefined) return await call(url, 'GET', path, options);
  const headers = { 'x-log-position': String(head), ...options.headers };
  for (const sinceMs = performance.now(); ;) {
    const answer = await call(url, 'GET', path, { ...options, headers });
    if (answer.status !== 503 || performance.now() - sinceMs > LATE_MS) return answer;
    await sleep(100);
  }
}

async function call(
  url: string,
  method: string,
  path: string,
  { token = null, body, headers = {} }: CallOptions = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : (JSON.parse(text) as Body) };
}

/** A token made by the operator: its id, and its secret text. */
export async function createToken(
  { call: ask, operator }: TestServer,
  input: { readonly catalogue: string; readonly scopes: readonly string[]; readonly [key: string]: unknown },
  giver = operator,
): Promise<{ readonly id: string; readonly token: string }> {
  const answer = await ask('POST', '/api/v1/tokens', { token: giver, body: { name: 'test', ...input } });
  if (answer.status !== 201) throw new Error(`no token was made: ${JSON.stringify(answer.body)}`);
  return { id: String(answer.body['id']), token: String(answer.body['token']) };
}
