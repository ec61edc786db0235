import { Query } from '@nestjs/cqrs';
import type { By } from '../person/actor.ts';
import type { Page, PageAsked } from '../read-db/page.ts';
import type { Definition, PauseReason, Schedule } from './events.ts';
import type { Reach } from './reach.ts';
import type { DeferralReason, RunOpened, StepResult } from './runs/events.ts';

/** What can be asked of routines and their runs; answered in projections/routines. */

export interface RoutineView extends Definition {
  readonly id: string;
  readonly status: 'active' | 'paused' | 'deleted';
  readonly pause: { readonly reason: PauseReason; readonly note: string | null; readonly at: string } | null;
  readonly catalogue: string;
  /** The lineage it runs under: its newest token's rights, limits and name. */
  readonly lineage: string;
  /** Null while it is paused. In the past: it is due. */
  readonly next_run_at: string | null;
  /** Revision of its stream: its ETag, and what `If-Match` takes. */
  readonly version: number;
  /** The last who wrote its definition. */
  readonly by: By;
  readonly created_at: string;
  readonly updated_at: string;
}

export type RunStatus = 'waiting' | 'running' | 'deferred' | 'succeeded' | 'failed' | 'stopped';

export interface RunView {
  readonly id: string;
  readonly routine: string;
  readonly trigger: RunOpened['data']['trigger'];
  /** The moment it stands for. */
  readonly slot: string;
  /** First slot since the run before that nobody was there for: made up for by this run, or skipped. Null: none. */
  readonly missed_since: string | null;
  readonly status: RunStatus;
  /** Why it failed or was stopped. */
  readonly reason: string | null;
  /** Which step waits, why, and until when. */
  readonly deferred: { readonly step: number; readonly reason: DeferralReason; readonly until: string } | null;
  /** The token it began under. */
  readonly token: { readonly id: string; readonly label: string };
  readonly steps_done: number;
  readonly by: By;
  readonly opened_at: string;
  readonly ended_at: string | null;
}

export interface StepView extends StepResult {
  readonly at: string;
}

export interface RunDetail extends RunView {
  readonly steps: readonly StepView[];
}

/** Newest first; deleted ones only when asked for. */
export class ListRoutines extends Query<Page<RoutineView>> {
  constructor(
    readonly request: PageAsked & { readonly reach: Reach; readonly status?: RoutineView['status'] | undefined },
  ) {
    super();
  }
}

/** Null: not there, or out of reach. */
export class GetRoutine extends Query<RoutineView | null> {
  constructor(readonly request: { readonly reach: Reach; readonly id: string; readonly nowMs: number }) {
    super();
  }
}

/** Newest first. Null: no such routine within reach. */
export class ListRuns extends Query<Page<RunView> | null> {
  constructor(readonly request: PageAsked & { readonly reach: Reach; readonly routine: string }) {
    super();
  }
}

export class GetRun extends Query<RunDetail | null> {
  constructor(
    readonly request: { readonly reach: Reach; readonly routine: string; readonly run: string; readonly nowMs: number },
  ) {
    super();
  }
}

/** What the runners of all processes ask; times Unix ms. */

export interface DueSchedule {
  readonly routine: string;
  readonly epoch: number;
  readonly schedule: Schedule;
  readonly dueAtMs: number;
  /** Later than now only where a clock was ahead. */
  readonly lastSlotMs: number | null;
}

/** Schedules in force whose slot has come, of routines no run of which is open, and those a clock ran ahead with. */
export class DueSchedules extends Query<readonly DueSchedule[]> {
  constructor(readonly request: { readonly nowMs: number; readonly limit: number }) {
    super();
  }
}

/** Ids of open runs that nobody has, or whose lease has ended. */
export class FreeRuns extends Query<readonly string[]> {
  constructor(readonly request: { readonly nowMs: number; readonly limit: number }) {
    super();
  }
}

/** Active routines by id, after one; of all lineages, or of the one with this key (libs/tokens/token-id.ts). */
export class ActiveRoutines extends Query<readonly { readonly id: string; readonly lineage: string }[]> {
  constructor(
    readonly request: { readonly lineageKey: string | null; readonly after: string | null; readonly limit: number },
  ) {
    super();
  }
}

/** How the latest runs of a routine's schedule in force ended, newest first. */
export class LatestOutcomes extends Query<readonly string[]> {
  constructor(readonly request: { readonly routine: string; readonly epoch: number; readonly limit: number }) {
    super();
  }
}
