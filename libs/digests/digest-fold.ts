import type { RecordedEvent } from '../event-log/event-log.ts';
import type { Actor } from '../person/actor.ts';
import { ROUTINE_PREFIX } from '../routines/events.ts';
import { type CallsTold, callsToldBy } from './calls-told.ts';
import type { ChangeMade, Digest } from './digest.ts';
import { composeDigest } from './compose-digest.ts';
import { periodStream } from './events.ts';
import { KNOWN_FOR_MS } from './known-addresses.ts';
import { type ClosedPeriod, periodBefore, stretchMs } from './period.ts';
import { Recently } from './recently.ts';
import { type LifeStep, TokenLives } from './token-lives.ts';
import { WorkspaceTally } from './workspace-tally.ts';

/** The scope an operation asks for, as its tokens hold it; null: none, or not known. */
export type ScopeNeeded = (operation: string) => string | null;

/**
 * The digests of a period, of every workspace, from the log's events in their order. Pure: what is told after the
 * period was closed, and what happened outside of it, changes nothing.
 */
export class DigestFold {
  readonly #closed: ClosedPeriod;
  readonly #scopeNeeded: ScopeNeeded;
  readonly #closesBefore: string;
  readonly #lives: TokenLives;
  readonly #recently = new Recently();
  readonly #workspaces = new Map<string, WorkspaceTally>();
  readonly #routineNames = new Map<string, string>();
  #beforeIsClosed = false;

  constructor(closed: ClosedPeriod, scopeNeeded: ScopeNeeded) {
    this.#closed = closed;
    this.#scopeNeeded = scopeNeeded;
    this.#closesBefore = periodStream(periodBefore(closed.period).id);
    this.#lives = new TokenLives(closed.period.toMs);
  }

  play(event: RecordedEvent): void {
    if (event.position >= this.#closed.position) return;
    if (event.stream === this.#closesBefore) this.#beforeIsClosed = true;
    if (event.stream.startsWith(ROUTINE_PREFIX)) this.#playRoutine(event);
    const step = this.#lives.play(event);
    if (step !== null) this.#playLife(step);
    const told = callsToldBy(event);
    if (told !== null) this.#playCalls(told);
  }

  /** By workspace: of all there were before the period's end. */
  digests(): Map<string, Digest> {
    const digests = [...this.#workspaces].map(([workspace, tally]): [string, Digest] => [
      workspace,
      composeDigest({ ...this.#closed, workspace, tally, lives: this.#lives, routineNames: this.#routineNames }),
    ]);
    return new Map(digests);
  }

  #playLife({ before, after, event, timeMs }: LifeStep): void {
    const { fromMs, toMs } = this.#closed.period;
    let tally = this.#workspaces.get(after.workspace);
    if (tally === undefined) {
      tally = new WorkspaceTally((toMs - fromMs) / stretchMs(this.#closed.period));
      this.#workspaces.set(after.workspace, tally);
    }
    if (timeMs < fromMs) return;
    const made = changeMade(event, before?.scopes ?? []);
    const by = (event.metadata['actor'] as Actor | undefined) ?? null;
    if (made !== null) tally.addChange({ token: after.id, at: event.data.at, by, made });
  }

  #playRoutine({ stream, data }: RecordedEvent): void {
    const { name, at } = data as { readonly name?: string; readonly at: string };
    if (name !== undefined && Date.parse(at) < this.#closed.period.toMs)
      this.#routineNames.set(stream.slice(ROUTINE_PREFIX.length), name);
  }

  #playCalls(told: CallsTold): void {
    const { period } = this.#closed;
    const { fromMs, toMs } = period;
    const { token, timeMs, carried } = told;
    const isOfInterest = timeMs >= fromMs - KNOWN_FOR_MS && timeMs < toMs;
    if (!isOfInterest || (carried !== null && !this.#recently.isNew(carried, timeMs))) return;
    const tally = this.#workspaces.get(this.#lives.known(token)?.workspace ?? '');
    if (tally === undefined) return;
    const isFirst = told.address !== null && tally.known.isFirst(token, told.address);
    if (timeMs < fromMs) {
      if (this.#beforeIsClosed) tally.late += told.count;
      return;
    }
    tally.count(told, Math.floor((timeMs - fromMs) / stretchMs(period)), this.#scopeNeeded(told.operation));
    if (!isFirst || told.address === null) return;
    const decision = told.outcome === 'allowed' ? 'allowed' : 'refused';
    tally.addAddress({ token, address: told.address, atMs: timeMs, operation: told.operation, decision });
  }
}

/** Null: a note for readers of the history, which changes nothing. */
function changeMade(event: LifeStep['event'], scopesBefore: readonly string[]): ChangeMade | null {
  switch (event.type) {
    case 'TokenCreated':
      return { change: 'created', scopes: event.data.scopes, expires_at: event.data.expires_at };
    case 'TokenRenamed':
      return { change: 'renamed', name: event.data.name };
    case 'TokenScoped': {
      const { scopes, restrict } = event.data;
      const added = scopes.filter((scope) => !scopesBefore.includes(scope));
      const removed = scopesBefore.filter((scope) => !scopes.includes(scope));
      return { change: 'scoped', added, removed, restrict };
    }
    case 'TokenLimitsChanged':
      return { change: 'limits_changed', limits: event.data.limits, expires_at: event.data.expires_at };
    case 'TokenSuspended':
      return { change: 'suspended' };
    case 'TokenResumed':
      return { change: 'resumed' };
    case 'TokenRotated':
      return {
        change: 'rotated',
        successor: event.data.successor,
        overlap_ends_at: event.data.overlap_ends_at,
      };
    case 'TokenRevoked':
      return { change: 'revoked', reason: event.data.reason, note: event.data.note };
    case 'TokenExpired':
      return null;
    default:
      return unknownEvent(event);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown token event ${(event as { readonly type: string }).type}`);
}
