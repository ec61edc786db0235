import { randomUUID } from 'node:crypto';
import {
  type EventLog,
  type NewEvent,
  type Position,
  type RecordedEvent,
  WrongExpectedRevision,
} from '../event-log/event-log.ts';
import { ownMetadata } from '../event-log/own-metadata.ts';
import { Courtesy } from '../projection/courtesy.ts';
import { ROUTINE_PREFIX } from '../routines/events.ts';
import { TOKEN_PREFIX } from '../tokens/events.ts';
import type { Digest } from './digest.ts';
import { DigestFold, type ScopeNeeded } from './digest-fold.ts';
import { type DigestMade, digestStream, type PeriodClosed, type PeriodDigested, periodStream } from './events.ts';
import { KNOWN_FOR_MS } from './known-addresses.ts';
import { type ClosedPeriod, DAY_MS, type Period, periodAt } from './period.ts';

const EVENTS_A_BITE = 500;
/** Processes' clocks are taken to be no further apart. */
const CLOCKS_APART_MS = 3_600_000;
/** Days looked at for one that was closed in time to begin reading there. */
const DAYS_TRIED = 14;

/** What a period's stream says of it. */
export interface PeriodState extends ClosedPeriod {
  readonly closedAtMs: number;
  readonly digested: boolean;
}

interface Folded {
  readonly state: PeriodState;
  readonly fold: DigestFold;
}

/** Makes digests from the log and keeps them in it. Of several who make the same one, one keeps it. */
export class DigestMaker {
  readonly #log: EventLog;
  readonly #clock: () => number;
  readonly #scopeNeeded: ScopeNeeded;

  constructor(log: EventLog, clock: () => number, scopeNeeded: ScopeNeeded) {
    this.#log = log;
    this.#clock = clock;
    this.#scopeNeeded = scopeNeeded;
  }

  /** Null: nobody has closed it. */
  async stateOf(period: Period): Promise<PeriodState | null> {
    const events = await Array.fromAsync(this.#log.readStream(periodStream(period.id), { limit: 2 }));
    const [closed, digested] = events;
    if (closed === undefined) return null;
    const closedAtMs = Date.parse((closed.data as PeriodClosed['data']).at);
    return { period, position: closed.position, closedAtMs, digested: digested !== undefined };
  }

  /** Null: it was not made. */
  async kept(workspace: string, period: Period): Promise<Digest | null> {
    for await (const { data } of this.#log.readStream(digestStream(workspace, period.id), { limit: 1 })) {
      return (data as DigestMade['data']).digest;
    }
    return null;
  }

  /** Fixes what the period's digests are of: the log before. False: somebody has done so. */
  async close(period: Period): Promise<boolean> {
    const data = { period: period.id, from: iso(period.fromMs), to: iso(period.toMs), at: iso(this.#clock()) };
    return this.#appendOnce(periodStream(period.id), 'no-stream', eventOf<PeriodClosed>('PeriodClosed', data));
  }

  /**
   * Makes and keeps the digests of periods that are over, of every workspace there was, in one pass over the log.
   * @throws LogUnavailable, OutcomeUnknown; AbortError when the signal aborts
   */
  async make(periods: readonly Period[], signal: AbortSignal): Promise<void> {
    const folds: Folded[] = [];
    for (const period of periods) {
      const state = await this.#closed(period);
      folds.push({ state, fold: new DigestFold(state, this.#scopeNeeded) });
    }
    await this.#play(folds, signal);
    for (const { state, fold } of folds) await this.#keep(state, fold);
  }

  async #closed(period: Period): Promise<PeriodState> {
    for (;;) {
      const state = await this.stateOf(period);
      if (state !== null) return state;
      await this.close(period);
    }
  }

  async #play(folds: readonly Folded[], signal: AbortSignal): Promise<void> {
    const courtesy = new Courtesy();
    const firstMs = Math.min(...folds.map(({ state }) => state.period.fromMs));
    const end = Math.max(...folds.map(({ state }) => state.position));
    const start = await this.#positionBefore(firstMs - KNOWN_FOR_MS);
    let played = 0;
    for await (const event of eventsBetween(this.#log, start, end)) {
      for (const { fold } of folds) fold.play(event);
      if (++played % EVENTS_A_BITE > 0) continue;
      await courtesy.giveWay(signal);
      signal.throwIfAborted();
    }
  }

  /** A position before which no call of the instant, or a later one, was recorded; null: the log's beginning. */
  async #positionBefore(instantMs: number): Promise<Position | null> {
    const beforeMs = instantMs - CLOCKS_APART_MS;
    for (let day = 1; day <= DAYS_TRIED; day++) {
      const state = await this.stateOf(periodAt('daily', instantMs - (day + 1) * DAY_MS));
      if (state !== null && state.closedAtMs <= beforeMs) return state.position;
    }
    return null;
  }

  async #keep({ period }: PeriodState, fold: DigestFold): Promise<void> {
    const digests = fold.digests();
    for (const [workspace, digest] of digests) {
      const data = { workspace, digest, at: iso(this.#clock()) };
      const event = eventOf<DigestMade>('DigestMade', data);
      await this.#appendOnce(digestStream(workspace, period.id), 'no-stream', event);
    }
    const data = { period: period.id, workspaces: digests.size, at: iso(this.#clock()) };
    await this.#appendOnce(periodStream(period.id), 0, eventOf<PeriodDigested>('PeriodDigested', data));
  }

  /** Another process that makes the same has the same to append. */
  async #appendOnce(stream: string, expected: number | 'no-stream', event: NewEvent): Promise<boolean> {
    try {
      await this.#log.append(stream, expected, [event]);
      return true;
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision)) throw error;
      return false;
    }
  }
}

/** Lives of tokens, and routines, from the log's beginning; all else from behind `start`. `end` is not included. */
async function* eventsBetween(log: EventLog, start: Position | null, end: Position): AsyncGenerator<RecordedEvent> {
  if (start !== null) yield* livesUpTo(log, start);
  for await (const event of log.readAll(start === null ? {} : { after: start })) {
    if (event.position >= end) return;
    yield event;
  }
}

/** By a subscription, which filters where the events lie (DESIGN §7). */
async function* livesUpTo(log: EventLog, last: Position): AsyncGenerator<RecordedEvent> {
  const reading = new AbortController();
  const asked = { after: null, streamPrefixes: [TOKEN_PREFIX, ROUTINE_PREFIX], signal: reading.signal };
  try {
    for await (const message of log.subscribe(asked)) {
      if (message.kind === 'events') {
        const before = message.events.filter(({ position }) => position <= last);
        yield* before;
        if (before.length < message.events.length) return;
      } else if (message.kind === 'caught-up' || message.position >= last) return;
    }
  } finally {
    reading.abort();
  }
}

const eventOf = <Event extends { readonly type: string; readonly data: unknown }>(
  type: Event['type'],
  data: Event['data'],
): NewEvent => ({ id: randomUUID(), type, data, metadata: ownMetadata() });

const iso = (ms: number): string => new Date(ms).toISOString();
