/**
 * One run of a routine, in stream `run-<id>`. Its first event is the claim of its slot: the id is made of routine and
 * slot (run-id.ts), so of two runners only one can append it. Times are RFC 3339.
 */
export type RunEvent = RunOpened | RunClaimed | StepRecorded | StepDeferred | RunEnded;

export interface RunOpened {
  readonly type: 'RunOpened';
  readonly data: {
    readonly id: string;
    readonly routine: string;
    readonly workspace: string;
    readonly lineage: string;
    /** The token it begins under, and its name then; each step looks it up anew. */
    readonly token: string;
    readonly label: string;
    readonly trigger: 'schedule' | 'by_hand';
    /** The moment it stands for. */
    readonly slot: string;
    /** First slot since the run before that nobody was there for: made up for by this run, or skipped. Null: none. */
    readonly missed_since: string | null;
    /** The routine's schedule it belongs to, and its revision: the steps are those of then. */
    readonly epoch: number;
    readonly definition: number;
    /** When the schedule fires next; null for a run by hand. */
    readonly next_slot: string | null;
    readonly at: string;
  };
}

/** A runner has it until its lease ends; then anyone may take it. */
export interface RunClaimed {
  readonly type: 'RunClaimed';
  readonly data: { readonly runner: string; readonly lease_until: string; readonly at: string };
}

export interface StepRecorded {
  readonly type: 'StepRecorded';
  readonly data: StepResult & {
    /** Values of the answer that later steps refer to, by the reference's text. */
    readonly kept: Readonly<Record<string, unknown>>;
    /** The lease, prolonged. */
    readonly lease_until: string;
    readonly at: string;
  };
}

export interface StepResult {
  /** Place in the routine's steps, from 0. */
  readonly step: number;
  readonly operation: string;
  readonly decision: 'allowed' | 'refused';
  /** HTTP status, as on every face; null where the gate was not asked. */
  readonly status: number | null;
  readonly request_id: string | null;
  /** Of the log, where the step wrote. */
  readonly position: number | null;
  /** Why it was refused or failed; null when it was done. */
  readonly reason: string | null;
  /** The token it ran under, and its name then; null where there is none alive. */
  readonly token: string | null;
  readonly label: string | null;
}

/** The step is tried again from `until` on, by anyone. */
export interface StepDeferred {
  readonly type: 'StepDeferred';
  readonly data: {
    readonly step: number;
    readonly reason: DeferralReason;
    /** What the gate asked for; null where the runner itself stopped. */
    readonly retry_after_seconds: number | null;
    readonly request_id: string | null;
    readonly until: string;
    readonly at: string;
  };
}

export type DeferralReason = 'throttled' | 'unavailable' | 'handed_over';

export interface RunEnded {
  readonly type: 'RunEnded';
  readonly data: {
    /** `stopped`: the routine was paused or deleted, or its token died, before the run was through. */
    readonly outcome: 'succeeded' | 'failed' | 'stopped';
    readonly reason: string | null;
    readonly at: string;
  };
}

export const RUN_PREFIX = 'run-';
export const runStream = (id: string): string => `${RUN_PREFIX}${id}`;
