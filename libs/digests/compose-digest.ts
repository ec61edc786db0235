import { MAX_APPEND_BYTES } from '../event-log/event-log.ts';
import { mostBytesSealing, personalValuesOf } from '../privacy/personal-data.ts';
import type { Face } from '../usage/use.ts';
import type { Calls, ChangeMade, Digest, Rows, TokenName, Totals, UnusedScopes } from './digest.ts';
import { type ClosedPeriod, type Period, stretchMs } from './period.ts';
import type { StandingToken, TokenLives } from './token-lives.ts';
import { MOST_ROWS, noCalls, type TokenTally, type WorkspaceTally } from './workspace-tally.ts';

interface Told extends ClosedPeriod {
  readonly workspace: string;
  readonly tally: WorkspaceTally;
  /** As they were at the period's end. */
  readonly lives: TokenLives;
  readonly routineNames: ReadonlyMap<string, string>;
}

/** A digest is one event; what else an append holds is small. */
const MOST_BYTES = MAX_APPEND_BYTES - 64 * 1024;
const FACES: readonly Face[] = ['rest', 'mcp', 'routine', 'cli'];

/** Its lists are cut at 500 rows, or at as many as let it be one event. */
export function composeDigest(told: Told): Digest {
  for (let most = MOST_ROWS; ; most = Math.floor(most / 2)) {
    const digest = compose(told, most);
    if (most === 0 || storedBytes(digest) <= MOST_BYTES) return digest;
  }
}

/** At most: labels, names and addresses are sealed. */
function storedBytes(digest: Digest): number {
  const found = personalValuesOf('', { id: '', type: 'DigestMade', data: { digest }, metadata: NO_METADATA });
  return Buffer.byteLength(JSON.stringify(digest)) + mostBytesSealing(found);
}

const NO_METADATA = { $correlationId: '', $causationId: '', schema: 1 };

function compose(told: Told, most: number): Digest {
  const { period, position, workspace, tally, lives, routineNames } = told;
  const own = lives.of(workspace);
  const alive = own.filter((token) => isAlive(token, lives));
  const expired = own.filter((token) => expiredWithin(token, period) && lives.isActivated(token));
  const used = [...tally.tokens].map(([id, calls]) => ({ token: standing(id, lives), calls })).toSorted(byId);
  return {
    format: 'writ-digest/v1',
    id: period.id,
    period: period.kind,
    workspace,
    from: iso(period.fromMs),
    to: iso(period.toMs),
    log_position: position,
    totals: totalsOf(tally, alive.length, expired.length),
    timeline: tally.timeline.map((calls, index) => ({
      from: iso(period.fromMs + index * stretchMs(period)),
      ...calls,
    })),
    faces: FACES.map((face) => ({ face, ...(tally.faces.get(face) ?? noCalls()) })),
    reasons: named(tally.reasons, (denied) => denied).map(([reason, denied]) => ({ reason, denied })),
    operations: rows(named(tally.operations, sum), most, ([operation, calls]) => ({ operation, ...calls })),
    routines: rows(named(tally.routines, sum), most, ([routine, calls]) => ({
      routine,
      name: routineNames.get(routine) ?? null,
      ...calls,
    })),
    tokens: rows(mostFirst(used, sum), most, ({ token, calls }) => ({
      token: nameOf(token),
      catalogue: token.catalogue,
      kind: token.kind,
      status: lives.statusOf(token),
      allowed: calls.allowed,
      failed: calls.failed,
      denied: calls.denied,
      throttled: calls.throttled,
      last_used_at: iso(calls.lastMs),
    })),
    throttled_tokens: rows(
      mostFirst(used, ({ throttled }) => throttled).filter(({ calls }) => calls.throttled > 0),
      most,
      ({ token, calls }) => ({ token: nameOf(token), throttled: calls.throttled }),
    ),
    unused_tokens: rows(
      alive.filter(({ id }) => !tally.tokens.has(id)),
      most,
      (token) => ({
        token: nameOf(token),
        catalogue: token.catalogue,
        status: lives.statusOf(token),
        scopes: token.scopes,
        created_at: iso(token.createdAtMs),
      }),
    ),
    unused_scopes: rows(used.filter(({ token }) => isAlive(token, lives)).flatMap(unusedScopesOf), most, (row) => row),
    changes: changesOf(tally, most, lives),
    expired_tokens: rows(expired, most, (token) => ({ token: nameOf(token), at: iso(token.expiresAtMs ?? 0) })),
    first_seen_addresses: {
      items: tally.addresses.slice(0, most).map(({ token, address, atMs, operation, decision }) => ({
        token: nameOf(standing(token, lives)),
        address,
        at: iso(atMs),
        operation,
        decision,
      })),
      more: Math.max(0, tally.addressesSeen - most),
      complete: tally.known.complete,
    },
  };
}

function totalsOf(tally: WorkspaceTally, alive: number, expired: number): Totals {
  const { calls, throttled, late, tokens, changesByKind } = tally;
  const changed = (kind: ChangeMade['change']): number => changesByKind.get(kind) ?? 0;
  return {
    ...calls,
    throttled,
    late,
    tokens_used: tokens.size,
    tokens_alive: alive,
    tokens_created: changed('created'),
    tokens_scoped: changed('scoped'),
    tokens_rotated: changed('rotated'),
    tokens_revoked: changed('revoked'),
    tokens_expired: expired,
  };
}

/** Of each kind the first, so that many of one leave room for the others. */
function changesOf({ changes, changesByKind }: WorkspaceTally, most: number, lives: TokenLives): Digest['changes'] {
  const shown = new Map<string, number>();
  const items = changes.flatMap(({ token, at, by, made }) => {
    const before = shown.get(made.change) ?? 0;
    shown.set(made.change, before + 1);
    return before < most ? [{ at, token: nameOf(standing(token, lives)), by, ...made }] : [];
  });
  const all = [...changesByKind.values()].reduce((a, b) => a + b, 0);
  return { items, more: all - items.length };
}

interface Used {
  readonly token: StandingToken;
  readonly calls: TokenTally;
}

function unusedScopesOf({ token, calls: { needed } }: Used): UnusedScopes[] {
  const unused = token.scopes.filter((scope) => !needed.has(scope));
  if (unused.length === 0) return [];
  return [{ token: nameOf(token), catalogue: token.catalogue, unused, needed: [...needed].toSorted() }];
}

function isAlive(token: StandingToken, lives: TokenLives): boolean {
  const status = lives.statusOf(token);
  return status === 'active' || status === 'suspended';
}

function expiredWithin(token: StandingToken, { fromMs, toMs }: Period): boolean {
  const { expiresAtMs } = token;
  if (expiresAtMs === null || expiresAtMs < fromMs || expiresAtMs >= toMs) return false;
  return token.status !== 'revoked' || token.revokedAtMs >= expiresAtMs;
}

function standing(id: string, lives: TokenLives): StandingToken {
  const token = lives.known(id);
  if (token === null) throw new Error(`token ${id} was counted without a life`);
  return token;
}

const nameOf = ({ id, name, owner }: StandingToken): TokenName => ({ id, label: name, owner });

function rows<Item, Row>(items: readonly Item[], most: number, row: (item: Item) => Row): Rows<Row> {
  return { items: items.slice(0, most).map(row), more: Math.max(0, items.length - most) };
}

/** The most first, then by name. */
const named = <Value>(map: ReadonlyMap<string, Value>, size: (value: Value) => number): [string, Value][] =>
  [...map].toSorted(([a, one], [b, other]) => size(other) - size(one) || (a < b ? -1 : 1));

const mostFirst = (used: readonly Used[], size: (calls: TokenTally) => number): Used[] =>
  used.toSorted((a, b) => size(b.calls) - size(a.calls) || byId(a, b));

const byId = (a: Used, b: Used): number => (a.token.id < b.token.id ? -1 : 1);

const sum = ({ allowed, failed, denied }: Calls): number => allowed + failed + denied;

const iso = (ms: number): string => new Date(ms).toISOString();
