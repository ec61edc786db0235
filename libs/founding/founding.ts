import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Catalogues } from '../catalogue/catalogue.ts';
import { type EventLog, type NewEvent, WrongExpectedRevision } from '../event-log/event-log.ts';
import type { Actor } from '../person/actor.ts';
import type { Person } from '../person/person.ts';
import { type TokenCreated, tokenStream } from '../tokens/events.ts';
import { formatToken, newSecret, parseToken, tokenDigest } from '../tokens/token-format.ts';
import { newTokenId } from '../tokens/token-id.ts';
import {
  operatorTokenFile,
  readOperatorToken,
  replaceOperatorToken,
  writeOperatorToken,
} from './operator-token-file.ts';
import { newId } from '../ids/new-id.ts';

/** Founding is an append to this very stream expecting none, so two starts cannot make two owners. */
export const FOUNDING_STREAM = 'workspace-founding';

interface WorkspaceFounded {
  readonly type: 'WorkspaceFounded';
  readonly data: {
    readonly workspace: string;
    readonly name: string;
    readonly owner: Person;
    /** The operator token, as it is created next; a start that finds it missing creates it then. */
    readonly operator: TokenCreated['data'];
    readonly at: string;
  };
}

/** There is no workspace to recover a token for. */
export class NotFounded extends Error {
  override readonly name = 'NotFounded';
}

export interface Founded {
  readonly workspace: string;
  readonly owner: Person;
  /** Where the operator token lies; null when this log was founded before. */
  readonly tokenFile: string | null;
}

/** The operator's own limit, calls a minute: the ceiling of what it can give (P13). */
const OPERATOR_PER_MINUTE = 1_000_000;

/**
 * Founds the workspace, its owner and an operator token with all Writ scopes, unless the log has them already.
 * The token's file is written first, so no crash can leave a world whose key nobody has.
 */
export async function found(
  log: EventLog,
  catalogues: Catalogues,
  dataDir: string,
  now: () => number,
): Promise<Founded> {
  const before = await readFounding(log);
  if (before !== null) return { ...(await completeFounding(log, before)), tokenFile: null };

  mkdirSync(dataDir, { recursive: true });
  const nowMs = now();
  const owner: Person = { id: newId(nowMs), name: 'Operator' };
  const workspace = newId(nowMs);
  // A file without a world: an earlier start died in between. Its token is as good as a new one.
  const token = readOperatorToken(dataDir) ?? makeOperatorToken(nowMs);
  if (readOperatorToken(dataDir) === null) writeOperatorToken(dataDir, token);
  const founding: WorkspaceFounded = {
    type: 'WorkspaceFounded',
    data: {
      workspace,
      name: 'Sample workspace',
      owner,
      operator: operatorToken(token, owner, workspace, catalogues, nowMs),
      at: new Date(nowMs).toISOString(),
    },
  };
  try {
    await log.append(FOUNDING_STREAM, 'no-stream', [newEvent(founding, owner)]);
  } catch (error) {
    if (!(error instanceof WrongExpectedRevision)) throw error;
    const other = await readFounding(log);
    if (other === null) throw error;
    return { ...(await completeFounding(log, other)), tokenFile: null };
  }
  return { ...(await completeFounding(log, founding.data)), tokenFile: operatorTokenFile(dataDir) };
}

/**
 * A new operator token on the spot, for those who lost theirs. The old ones live on: list and revoke them.
 * @throws NotFounded
 */
export async function recover(
  log: EventLog,
  catalogues: Catalogues,
  dataDir: string,
  now: () => number,
): Promise<{ readonly tokenFile: string }> {
  const founding = await readFounding(log);
  if (founding === null) throw new NotFounded('This log has no workspace yet: start the server, or run `writ init`.');
  mkdirSync(dataDir, { recursive: true });
  const token = makeOperatorToken(now());
  const data = operatorToken(token, founding.owner, founding.workspace, catalogues, now());
  replaceOperatorToken(dataDir, token);
  await log.append(tokenStream(data.id), 'no-stream', [newEvent({ type: 'TokenCreated', data }, founding.owner)]);
  return { tokenFile: operatorTokenFile(dataDir) };
}

/** The world this log holds, its operator token whole. @throws NotFounded: a wrong address must not found a new one */
export async function requireFounded(log: EventLog): Promise<Founded> {
  const founding = await readFounding(log);
  if (founding === null)
    throw new NotFounded('This log has no workspace yet. Is EVENTSTORE_URL right? Then run `writ init`.');
  return { ...(await completeFounding(log, founding)), tokenFile: null };
}

/** Who founded the workspace, as they were called then; null: there is none yet. */
export const readFounder = (log: EventLog): Promise<{ readonly workspace: string; readonly owner: Person } | null> =>
  readFounding(log);

async function readFounding(log: EventLog): Promise<WorkspaceFounded['data'] | null> {
  for await (const event of log.readStream(FOUNDING_STREAM, { limit: 1 }))
    return event.data as WorkspaceFounded['data'];
  return null;
}

async function completeFounding(
  log: EventLog,
  { workspace, owner, operator }: WorkspaceFounded['data'],
): Promise<Omit<Founded, 'tokenFile'>> {
  try {
    await log.append(tokenStream(operator.id), 'no-stream', [
      newEvent({ type: 'TokenCreated', data: operator }, owner),
    ]);
  } catch (error) {
    if (!(error instanceof WrongExpectedRevision)) throw error;
  }
  return { workspace, owner };
}

function makeOperatorToken(nowMs: number): string {
  return formatToken('writ_', newTokenId(nowMs), newSecret());
}

function operatorToken(
  token: string,
  owner: Person,
  workspace: string,
  catalogues: Catalogues,
  nowMs: number,
): TokenCreated['data'] {
  const parsed = parseToken(token);
  const writ = catalogues.named('writ');
  if (parsed === null || writ === null) throw new Error('the writ catalogue or the operator token is not whole');
  return {
    id: parsed.id,
    catalogue: 'writ',
    kind: 'person',
    name: 'operator',
    owner,
    workspace,
    scopes: Object.keys(writ.scopes).toSorted(),
    restrict: { companies: [], projects: [] },
    limits: { reads: OPERATOR_PER_MINUTE, writes: OPERATOR_PER_MINUTE },
    expires_at: null,
    digest: tokenDigest(token),
    lineage: parsed.id,
    predecessor: null,
    at: new Date(nowMs).toISOString(),
  };
}

function newEvent(event: WorkspaceFounded | TokenCreated, person: Person): NewEvent {
  const id = randomUUID();
  const actor: Actor = { person, token: null, label: null, face: 'cli' };
  return {
    id,
    type: event.type,
    data: event.data,
    metadata: { $correlationId: id, $causationId: id, schema: 1, actor },
  };
}
