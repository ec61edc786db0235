import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ulid } from 'ulid';
import type { EventLog, EventMetadata, NewEvent } from '../../libs/event-log/event-log.ts';
import { openSqliteEventLog } from '../../libs/event-log/sqlite/sqlite-event-log.ts';
import { type TokenCreated, tokenStream } from '../../libs/tokens/events.ts';
import { tokenDigest } from '../../libs/tokens/token-format.ts';
import type { TokenUse } from '../../libs/usage/use.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { cells, CELLS, PATH } from './calls.ts';
import { end } from './child.ts';
import { type Load, load } from './load.ts';
import { table } from './markdown.ts';
import { atMost, type Findings, type Subject } from './subject.ts';
import { createToken, readOperator } from './writ.ts';

const TOKENS = 100_000;
const EVENTS = 1_000_000;
const TOKENS_AT_ONCE = 2_000;
const USES_AN_APPEND = 500;
const SECONDS = 6;
const LONGEST_START_MS = 120_000;
const CONNECTIONS = 10;

/** From spawning the process to the first 200 of /health/ready, on a log of a hundred thousand tokens. */
export const start: Subject = { name: 'start', measure };

async function measure(): Promise<Findings> {
  const full = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  const empty = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  try {
    await write(full);
    age(full, 24 * 3_600_000);
    const { server, seconds } = await timedStart(full);
    const catchingUp = await loaded(server, full);
    const fresh = await timedStart(empty);
    const idle = await loaded(fresh.server, empty);
    return render(seconds, catchingUp, idle);
  } finally {
    for (const directory of [full, empty]) rmSync(directory, { recursive: true });
  }
}

function render(readySeconds: number, catchingUp: Load, idle: Load): Findings {
  const behind = catchingUp.p99Ms / Math.max(1, idle.p99Ms);
  return {
    targets: [
      atMost('start with 100 k tokens and 1 M events, seconds', 20, readySeconds),
      atMost('P99 of a call while read models catch up, of its idle P99', 3, behind),
    ],
    section: `## Start

With 100,000 tokens and 1,000,000 events in the log, from spawning the process to the first 200 of \`/health/ready\`:
${readySeconds.toFixed(1)} s. The uses are a day old, so none refills a window. There is no snapshot (decision 0004).

Calls over ${CONNECTIONS} connections, while the read models catch up with that log and on a server with nothing to catch up with:

${table(
  ['', ...CELLS.slice(1)],
  [
    ['catching up', ...cells(catchingUp)],
    ['idle', ...cells(idle)],
  ],
)}`,
  };
}

async function timedStart(dataDir: string): Promise<{ readonly server: ServerProcess; readonly seconds: number }> {
  const startedMs = performance.now();
  const server = await startServerProcess({ DATA_DIR: dataDir }, LONGEST_START_MS);
  const ready = await fetch(`${server.url}/health/ready`);
  if (!ready.ok) throw new Error(`listening, but not ready: ${ready.status}`);
  return { server, seconds: (performance.now() - startedMs) / 1000 };
}

async function loaded(server: ServerProcess, dataDir: string): Promise<Load> {
  try {
    const { token } = await createToken(server.url, readOperator(dataDir));
    return await load(server, PATH, { seconds: SECONDS, connections: CONNECTIONS, token });
  } finally {
    await end(server);
  }
}

async function write(directory: string): Promise<void> {
  const log = await openSqliteEventLog({ directory });
  try {
    const ids: string[] = [];
    while (ids.length < TOKENS) {
      const created = Array.from({ length: TOKENS_AT_ONCE }, () => tokenCreated());
      await Promise.all(created.map((event) => log.append(tokenStream(event.data.id), 'no-stream', [event])));
      ids.push(...created.map(({ data: { id } }) => id));
    }
    await writeUses(log, ids);
  } finally {
    await log.close();
  }
}

async function writeUses(log: EventLog, ids: readonly string[]): Promise<void> {
  const stream = `usage-${ulid()}-${new Date().toISOString().slice(0, 10)}`;
  let revision = -1;
  for (let written = TOKENS; written < EVENTS; written += USES_AN_APPEND) {
    const events = Array.from({ length: USES_AN_APPEND }, () => tokenUsed(ids));
    ({ revision } = await log.append(stream, revision === -1 ? 'no-stream' : revision, events));
  }
}

/** When the log stored its events cannot be asked of an append: it is written over. */
function age(directory: string, byMs: number): void {
  const db = new DatabaseSync(join(directory, 'log.db'));
  db.exec(`UPDATE events SET recorded_at = ${Date.now() - byMs}`);
  db.close();
}

const owner = { id: ulid(), name: 'Jason' };
const workspace = ulid();

function tokenCreated(): NewEvent<string, TokenCreated['data']> {
  const id = ulid();
  const data: TokenCreated['data'] = {
    id,
    catalogue: 'comma',
    kind: 'agent',
    name: 'claude-code on macbook',
    owner,
    workspace,
    scopes: ['reports:read', 'reports:write'],
    restrict: { companies: [], projects: [] },
    limits: { reads: null, writes: null },
    expires_at: null,
    digest: tokenDigest(id),
    lineage: id,
    predecessor: null,
    at: new Date().toISOString(),
  };
  return { id: randomUUID(), type: 'TokenCreated', data, metadata: metadata(id) };
}

function tokenUsed(ids: readonly string[]): NewEvent<string, TokenUse> {
  const token = ids[Math.floor(Math.random() * ids.length)] ?? '';
  const request = ulid();
  const data: TokenUse = {
    token,
    workspace,
    time: new Date().toISOString(),
    face: 'rest',
    operation: 'who_am_i',
    resource: null,
    decision: 'allowed',
    reason: null,
    status: 200,
    duration_ms: 1.5,
    request_id: request,
    client_address: '127.0.0.1',
    client_name: 'bench',
    budget: 'reads',
    cost: 1,
    window_second: Math.floor(Date.now() / 1000),
  };
  return { id: randomUUID(), type: 'TokenUsed', data, metadata: metadata(request, token) };
}

function metadata(request: string, token: string | null = null): EventMetadata {
  const actor = { person: owner, token, label: 'claude-code on macbook', face: 'rest' };
  return { $correlationId: request, $causationId: request, schema: 1, actor };
}
