import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { decideAndAppend } from '../../event-log/decide-and-append.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import type { Freshness } from '../../gate/freshness.ts';
import type { HotView, ViewToken } from '../../hot-view/hot-view.ts';
import { newId } from '../../ids/new-id.ts';
import { CLOCK, EVENT_LOG, FRESHNESS, HOT_VIEW } from '../../injection-tokens.ts';
import { Operations } from '../../operation/operations.ts';
import { routineDecider } from '../decide.ts';
import { routineStream } from '../events.ts';
import { deathOf } from '../live-token.ts';
import { loadRoutine, loadRun } from '../load-routine.ts';
import { type DueSchedule, DueSchedules, FreeRuns, LatestOutcomes } from '../queries.ts';
import type { ActiveRoutine } from '../routine.ts';
import type { RunOpened } from '../runs/events.ts';
import { slotRunId } from '../runs/run-id.ts';
import { RoutineFace } from './routine-face.ts';
import { RoutinePauser } from './routine-pauser.ts';
import { contextOf, RunWorker, type Worked } from './run-worker.ts';
import { type DueSlot, Slots } from './slots.ts';
import { TokenWatch } from './token-watch.ts';

const TICK_MS = 1_000;
const MOST_RUNS_AT_ONCE = 16;
const LOOKED_AT_ONCE = 100;
const WAIT_MS = 2_000;
/** So many runs of a schedule failed one after another: somebody should look before it goes on. */
const MOST_FAILURES = 5;

/**
 * Runs routines, in every API process: looks for slots that are due and runs that wait, claims them by an append that
 * only one can make, and works on them. Nothing is queued anywhere but in the log; who dies leaves a lease that ends.
 */
@Injectable()
export class RoutineRunner implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger(RoutineRunner.name);
  readonly #worker: RunWorker;
  readonly #pauser: RoutinePauser;
  readonly #tokens: TokenWatch;
  readonly #slots = new Slots();
  readonly #busy = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(HOT_VIEW) private readonly view: HotView,
    @Inject(FRESHNESS) private readonly freshness: Freshness,
    @Inject(CLOCK) private readonly clock: () => number,
    private readonly queries: QueryBus,
    operations: Operations,
    face: RoutineFace,
  ) {
    this.#worker = new RunWorker(newId(), { log, view, operations, face, clock });
    this.#pauser = new RoutinePauser(log, view, clock);
    this.#tokens = new TokenWatch({ log, freshness, clock, queries, pauser: this.#pauser });
  }

  onApplicationBootstrap(): void {
    this.#loops = Promise.all([this.#loop(), this.#tokens.follow(this.#stopping.signal)]);
  }

  /** The steps under way are finished, their runs handed over. */
  async onModuleDestroy(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
    await this.idle();
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values());
  }

  /** One look for work; what is found goes on by itself. */
  async tick(): Promise<void> {
    // Only a view that is whole says who lives.
    if (!this.view.health().ready) return;
    const nowMs = this.clock();
    for (const id of await this.queries.execute(new FreeRuns({ nowMs, limit: LOOKED_AT_ONCE }))) {
      this.#begin(id, () => this.#takeUp(id));
    }
    for (const due of await this.queries.execute(new DueSchedules({ nowMs, limit: LOOKED_AT_ONCE }))) {
      this.#begin(due.routine, () => this.#fire(due));
    }
    await this.#tokens.sweepNowAndThen();
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.tick().catch((error: unknown) => this.#logger.warn({ err: error }, 'no look at routines for now'));
      await sleep(TICK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #begin(key: string, work: () => Promise<void>): void {
    if (this.#busy.has(key) || this.#busy.size >= MOST_RUNS_AT_ONCE || this.#stopping.signal.aborted) return;
    const done = work()
      // The lease ends, and somebody takes it up from what the log says.
      .catch((error: unknown) => this.#logger.warn({ err: error, key }, 'a routine stands still for now'))
      .finally(() => this.#busy.delete(key));
    this.#busy.set(key, done);
  }

  /** A slot has come. */
  async #fire(due: DueSchedule): Promise<void> {
    const slot = this.#slots.due(due, this.clock());
    if (slot === null) return;
    const standing = await loadRoutine(this.log, due.routine);
    // The read model is behind what became of the routine.
    if (standing?.routine.status !== 'active' || standing.routine.epoch !== due.epoch) return;
    const { routine, revision } = standing;
    const under = await this.#pauser.newest(routine.lineage);
    if (under === null) return;
    const death = deathOf(under, this.clock());
    if (death !== null) return this.#pauser.pause(routine.id, death, under);
    if (slot.late && routine.definition.missed_slots === 'skip') return this.#skip(due, slot, under);
    const worked = await this.#worker.claimSlot(this.#opened(routine, revision, slot, under), under);
    this.#slots.taken(due, slot.slotMs);
    if (worked !== null) await this.#work(worked, under);
  }

  #opened(routine: ActiveRoutine, revision: number, slot: DueSlot, under: ViewToken): RunOpened['data'] {
    const { slotMs, missedSinceMs, nextSlotMs } = slot;
    return {
      id: slotRunId(routine.id, slotMs),
      routine: routine.id,
      workspace: routine.workspace,
      lineage: routine.lineage,
      token: under.id,
      label: under.name,
      trigger: 'schedule',
      slot: iso(slotMs),
      missed_since: isoOrNull(missedSinceMs),
      epoch: routine.epoch,
      definition: revision,
      next_slot: isoOrNull(nextSlotMs),
      at: iso(this.clock()),
    };
  }

  async #skip(due: DueSchedule, { slotMs, missedSinceMs, nextSlotMs }: DueSlot, under: ViewToken): Promise<void> {
    const command = {
      type: 'SkipRoutineSlots',
      epoch: due.epoch,
      from: iso(missedSinceMs ?? slotMs),
      to: iso(slotMs),
      nextSlot: isoOrNull(nextSlotMs),
      at: iso(this.clock()),
    } as const;
    const { routine } = due;
    await decideAndAppend(this.log, routineStream(routine), routineDecider, command, contextOf(routine, under));
    this.#slots.taken(due, slotMs);
  }

  /** A run waits, or whoever had it let its lease end. */
  async #takeUp(id: string): Promise<void> {
    const run = await loadRun(this.log, id);
    if (run.status !== 'open') return;
    const under = await this.#pauser.newest(run.opened.lineage);
    if (under === null) return;
    const worked = await this.#worker.claimRun(id, under);
    if (worked !== null) await this.#work(worked, under);
  }

  async #work({ run: claimed }: Worked, under: ViewToken): Promise<void> {
    if (claimed.status !== 'open') return;
    const { run, position } = await this.#worker.work(claimed, this.#stopping.signal);
    if (run.status !== 'ended') return;
    const { routine, lineage, epoch } = run.opened;
    if (run.outcome === 'stopped') await this.#pauser.pauseIfDead({ id: routine, lineage });
    if (run.outcome !== 'failed' || position === null) return;
    await this.freshness.waitFor('routines', position, WAIT_MS);
    const outcomes = await this.queries.execute(new LatestOutcomes({ routine, epoch, limit: MOST_FAILURES }));
    if (outcomes.length === MOST_FAILURES && outcomes.every((outcome) => outcome === 'failed')) {
      await this.#pauser.pause(routine, 'failures', under);
    }
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));
