import { expect } from '@jest/globals';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import { type TokenUse, useOf } from '../../libs/usage/use.ts';
import { WINDOW_BUCKETS } from '../../libs/window/window.ts';
import type { Answer, Token } from './load.ts';

/** A revocation that was answered, and when (milliseconds since 1970, on the callers' clock). */
export interface Revocation {
  readonly token: Token;
  readonly answeredMs: number;
}

/** Reads a minute of one token, or of several together: a workspace's ceiling. */
export interface Limit {
  readonly tokens: readonly Token[];
  readonly perMinute: number;
  readonly countedIn: 'window_second' | 'ceiling_second';
}

/** What the log says of the rounds. */
export interface Record {
  readonly uses: readonly TokenUse[];
  /** Where the events of each Idempotency-Key lie: `<stream>@<revision>`. */
  readonly byKey: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What the callers saw beside what the log holds. Each check answers the answers that contradict its promise. */
export class Evidence {
  readonly answers: readonly Answer[];
  readonly revoked: ReadonlyMap<string, Revocation>;
  readonly record: Record;

  constructor(answers: readonly Answer[], revoked: ReadonlyMap<string, Revocation>, record: Record) {
    this.answers = answers;
    this.revoked = revoked;
    this.record = record;
  }

  get succeeded(): readonly Answer[] {
    return this.answers.filter(succeeded);
  }

  /** P1: successes that are not in the log exactly once, under their request id. */
  unrecorded(): readonly Answer[] {
    const recorded = Map.groupBy(
      this.record.uses.filter(({ decision }) => decision === 'allowed'),
      ({ request_id: id }) => id,
    );
    return this.succeeded.filter(({ requestId }) => recorded.get(requestId)?.length !== 1);
  }

  /** P1: tokens whose refusals the log has fewer of than the first 20. */
  forgottenRefusals(): readonly string[] {
    const refused = this.answers.filter(({ status }) => status === 401 || status === 429);
    // Whatever the decision: a call in flight when its token was revoked is recorded as let in, and answered 401.
    const recorded = new Set(this.record.uses.map(({ request_id: id }) => id));
    return [...Map.groupBy(refused, ({ token }) => token)].flatMap(([token, answers]) => {
      const count = answers.filter(({ requestId }) => recorded.has(requestId)).length;
      return count < Math.min(SINGLY_RECORDED, answers.length) ? [token] : [];
    });
  }

  /** P1: keys under which more than one thing was made. */
  madeTwice(): readonly string[] {
    return [...this.record.byKey].flatMap(([key, places]) => (places.size === 1 ? [] : [key]));
  }

  /** Calls begun after their token's revocation was answered. */
  afterRevocation(): readonly Answer[] {
    return this.answers.filter(({ token, startedMs }) => startedMs > (this.revoked.get(token)?.answeredMs ?? Infinity));
  }

  /** P2: those of them that were not refused. */
  passedThoughDead(): readonly Answer[] {
    return this.afterRevocation().filter(({ status }) => !REFUSALS.has(status));
  }

  /** P3: starts of the 60 seconds in which more was granted than the limit, by the answers or by the record. */
  beyondLimit({ tokens, perMinute, countedIn }: Limit): readonly number[] {
    const ids = new Set(tokens.map(({ id }) => id));
    const answered = this.succeeded.filter(({ token }) => ids.has(token));
    const byAnswers = answered
      .map(({ startedMs }) => startedMs)
      .filter(
        (fromMs) =>
          answered.filter(({ startedMs, answeredMs }) => startedMs >= fromMs && answeredMs <= fromMs + 60_000).length >
          perMinute,
      );
    const recorded = this.record.uses.filter(({ token, decision }) => ids.has(token) && decision === 'allowed');
    // A use that was counted nowhere was granted all the same, in no second.
    const seconds = recorded.map((use) => use[countedIn] ?? NaN);
    const byRecord = seconds.filter(
      (from) =>
        Number.isNaN(from) ||
        seconds.filter((second) => second >= from && second < from + WINDOW_BUCKETS).length > perMinute,
    );
    return [...byAnswers, ...byRecord];
  }

  /** Every promise at once: for a report of many rounds. */
  violations(limits: readonly Limit[]): number {
    return [
      this.unrecorded(),
      this.forgottenRefusals(),
      this.madeTwice(),
      this.passedThoughDead(),
      ...limits.map((limit) => this.beyondLimit(limit)),
    ].reduce((sum, found) => sum + found.length, 0);
  }
}

const SINGLY_RECORDED = 20;
/** What a dead token's caller may hear: that it is dead, that it was told so too often, or nothing for now. */
const REFUSALS = new Set([401, 429, 503]);

export const succeeded = ({ status }: Answer): boolean => status >= 200 && status < 300;

export async function readRecord(log: EventLog): Promise<Record> {
  const uses: TokenUse[] = [];
  const byKey = new Map<string, Set<string>>();
  for await (const event of log.readAll()) {
    const use = useOf(event);
    if (use !== null) uses.push(use);
    const key = (event.metadata['idempotency'] as { readonly key: string } | undefined)?.key;
    if (key === undefined) continue;
    const places = byKey.get(key) ?? new Set();
    byKey.set(key, places.add(`${event.stream}@${event.revision}`));
  }
  return { uses, byKey };
}

/** The same five promises, whatever was broken. Each limit was asked beyond at the end, so some were refused. */
export function expectPromisesKept(evidence: Evidence, limits: readonly Limit[]): void {
  expect(evidence.unrecorded()).toEqual([]);
  expect(evidence.forgottenRefusals()).toEqual([]);
  expect(evidence.madeTwice()).toEqual([]);
  expect(evidence.passedThoughDead()).toEqual([]);
  for (const limit of limits) expect(evidence.beyondLimit(limit)).toEqual([]);
}
