import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { unqualify } from '../catalogue/catalogue.ts';
import type { EventLog } from '../event-log/event-log.ts';
import { CLOCK, EVENT_LOG } from '../injection-tokens.ts';
import { Operations } from '../operation/operations.ts';
import type { Digest } from './digest.ts';
import { DigestMaker } from './digest-maker.ts';
import { duePeriods, isOver } from './due-periods.ts';
import type { Period } from './period.ts';

/** A start has better things to do first. */
const FIRST_LOOK_MS = 20_000;
const LOOK_EVERY_MS = 60_000;
/** After a failure: what cannot be read now is not read over and over. */
const LOOK_AGAIN_MS = 10 * 60_000;
/** Who closed a period has so long to make its digests before another process does. */
const LEASE_MS = 15 * 60_000;
/** So many periods are folded in one pass over the log: as much memory, and as few passes. */
const PERIODS_A_PASS = 4;
/** A caller waits so long for a digest that is being made. */
const WAIT_MS = 10_000;
/** Periods asked for that wait their turn. */
const MOST_WAITING = 8;

/** `not_over`: nor is its grace. `not_there`: the workspace was founded later. `being_made`: ask again. */
export type Found =
  | { readonly kind: 'found'; readonly digest: Digest }
  | { readonly kind: 'not_over' }
  | { readonly kind: 'not_there' }
  | { readonly kind: 'being_made' };

/**
 * Has the digests of every period made once it is over, in any API process, and those that are asked for. One pass over
 * the log at a time.
 */
@Injectable()
export class DigestKeeper implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger(DigestKeeper.name);
  readonly #stopping = new AbortController();
  readonly #log: EventLog;
  readonly #clock: () => number;
  readonly #maker: DigestMaker;
  /** By period: those being made, and those that wait for it. */
  readonly #making = new Map<string, Promise<void>>();
  /** Periods not to be looked at again. */
  readonly #digested = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();
  #looking: Promise<void> = Promise.resolve();
  #logBeganMs: number | null = null;

  constructor(@Inject(EVENT_LOG) log: EventLog, @Inject(CLOCK) clock: () => number, operations: Operations) {
    this.#log = log;
    this.#clock = clock;
    this.#maker = new DigestMaker(log, clock, (operation) => {
      const scope = operations.named(operation)?.spec.scope ?? null;
      return scope === null ? null : unqualify(scope);
    });
  }

  onApplicationBootstrap(): void {
    this.#looking = this.#look();
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopping.abort();
    await this.#looking;
    await Promise.allSettled(this.#making.values());
  }

  async find(workspace: string, period: Period): Promise<Found> {
    const kept = await this.#maker.kept(workspace, period);
    if (kept !== null) return { kind: 'found', digest: kept };
    if (!isOver(period, this.#clock())) return { kind: 'not_over' };
    const beganMs = await this.#logBegan();
    if (beganMs === null || period.toMs <= beganMs) return { kind: 'not_there' };
    const state = await this.#maker.stateOf(period);
    if (state?.digested !== true && !(await this.#madeInTime(period))) return { kind: 'being_made' };
    const made = await this.#maker.kept(workspace, period);
    return made === null ? { kind: 'not_there' } : { kind: 'found', digest: made };
  }

  /** Makes what is due and nobody else makes. */
  async makeDue(): Promise<void> {
    const beganMs = await this.#logBegan();
    if (beganMs === null) return;
    const nowMs = this.#clock();
    let taken: Period[] = [];
    for (const period of duePeriods(nowMs, beganMs)) {
      if (!this.#digested.has(period.id) && (await this.#take(period, nowMs))) taken.push(period);
      if (taken.length < PERIODS_A_PASS) continue;
      await this.#make(taken);
      taken = [];
    }
    if (taken.length > 0) await this.#make(taken);
  }

  /** Closing a period is claiming it; a claim that led to nothing lapses. */
  async #take(period: Period, nowMs: number): Promise<boolean> {
    const state = await this.#maker.stateOf(period);
    if (state === null) return this.#maker.close(period);
    if (state.digested) this.#digested.add(period.id);
    return !state.digested && state.closedAtMs + LEASE_MS <= nowMs && !this.#making.has(period.id);
  }

  async #madeInTime(period: Period): Promise<boolean> {
    if (this.#making.size >= MOST_WAITING && !this.#making.has(period.id)) return false;
    const waiting = new AbortController();
    const given = sleep(WAIT_MS, false, { signal: waiting.signal }).catch(() => false);
    const made = (this.#making.get(period.id) ?? this.#make([period])).then(() => true);
    return Promise.race([made, given]).finally(() => waiting.abort());
  }

  #make(periods: readonly Period[]): Promise<void> {
    const making = this.#last.then(() => this.#maker.make(periods, this.#stopping.signal));
    for (const { id } of periods) this.#making.set(id, making);
    this.#last = making
      .catch(() => undefined)
      .finally(() => {
        for (const { id } of periods) this.#making.delete(id);
      });
    return making;
  }

  async #logBegan(): Promise<number | null> {
    if (this.#logBeganMs === null) {
      for await (const { recordedAt } of this.#log.readAll({ limit: 1 })) this.#logBeganMs = recordedAt;
    }
    return this.#logBeganMs;
  }

  async #look(): Promise<void> {
    const { signal } = this.#stopping;
    for (let waitMs = FIRST_LOOK_MS; ;) {
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      waitMs = await this.makeDue().then(
        () => LOOK_EVERY_MS,
        (error: unknown) => {
          if (!signal.aborted) this.#logger.warn({ err: error }, 'no digests are made for now');
          return LOOK_AGAIN_MS;
        },
      );
    }
  }
}
