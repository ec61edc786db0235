import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ulid } from 'ulid';
import type { EventLog, EventMetadata, NewEvent } from '../../libs/event-log/event-log.ts';
import { openSqliteEventLog } from '../../libs/event-log/sqlite/sqlite-event-log.ts';
import { type TokenCreated, tokenStream } from '../../libs/tokens/events.ts';
import { tokenDigest } from '../../libs/tokens/token-format.ts';
import type { TokenUse } from '../../libs/usage/use.ts';
import { madeUse } from '../support/made-use.ts';

const TOKENS_AT_ONCE = 2_000;
const USES_AN_APPEND = 500;

/** A log of so many tokens and then uses of them, `events` together, in an empty folder. */
export async function makeLog(
  directory: string,
  size: { readonly tokens: number; readonly events: number },
): Promise<void> {
  const log = await openSqliteEventLog({ directory });
  try {
    const ids: string[] = [];
    while (ids.length < size.tokens) {
      const created = Array.from({ length: TOKENS_AT_ONCE }, () => tokenCreated());
      await Promise.all(created.map((event) => log.append(tokenStream(event.data.id), 'no-stream', [event])));
      ids.push(...created.map(({ data: { id } }) => id));
    }
    await writeUses(log, ids, size.events - size.tokens);
  } finally {
    await log.close();
  }
}

async function writeUses(log: EventLog, ids: readonly string[], uses: number): Promise<void> {
  const stream = `usage-${ulid()}-${new Date().toISOString().slice(0, 10)}`;
  let revision = -1;
  for (let written = 0; written < uses; written += USES_AN_APPEND) {
    const events = Array.from({ length: USES_AN_APPEND }, () => tokenUsed(ids));
    ({ revision } = await log.append(stream, revision === -1 ? 'no-stream' : revision, events));
  }
}

/** When the log stored its events cannot be asked of an append: it is written over. */
export function age(directory: string, byMs: number): void {
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
  const data = madeUse({ token, workspace, request_id: ulid() });
  return { id: randomUUID(), type: 'TokenUsed', data, metadata: metadata(data.request_id, token) };
}

function metadata(request: string, token: string | null = null): EventMetadata {
  const actor = { person: owner, token, label: 'claude-code on macbook', face: 'rest' };
  return { $correlationId: request, $causationId: request, schema: 1, actor };
}
