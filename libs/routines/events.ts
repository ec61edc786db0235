/**
 * A routine, in stream `routine-<id>`: what it does, when, and whether. Its runs have streams of their own
 * (runs/events.ts), so that this one stays short however long the routine runs. Times are RFC 3339.
 */
export type RoutineEvent =
  | RoutineCreated
  | RoutineUpdated
  | RoutineRebound
  | RoutinePaused
  | RoutineResumed
  | RoutineSlotsSkipped
  | RoutineDeleted;

export interface Schedule {
  /** Five fields, or a nickname like `@daily`. */
  readonly cron: string;
  /** IANA name: `Europe/Berlin`. */
  readonly time_zone: string;
}

export interface Step {
  /** Name of an operation: `create_report`. */
  readonly operation: string;
  /** Literal but for `{"$from": "steps.0.id"}`: see references.ts. */
  readonly input: Readonly<Record<string, unknown>>;
}

/** What becomes of slots that nobody was there for: the last one is run late, or none is. */
export type MissedSlots = 'run_once' | 'skip';

export interface Definition {
  readonly name: string;
  readonly schedule: Schedule;
  readonly steps: readonly Step[];
  readonly missed_slots: MissedSlots;
}

export type PauseReason =
  'by_hand' | 'token_revoked' | 'token_expired' | 'token_suspended' | 'token_rotated' | 'failures';

/** What a routine runs under. */
export interface Binding {
  /** The token's: whose operations its steps are. */
  readonly catalogue: string;
  /** First ancestor of the token it runs under: rotation hands it on without an event. */
  readonly lineage: string;
  /** The token it was bound to. */
  readonly token: string;
}

export interface RoutineCreated {
  readonly type: 'RoutineCreated';
  readonly data: Definition &
    Binding & {
      readonly id: string;
      readonly workspace: string;
      readonly first_slot: string;
      readonly at: string;
    };
}

/** Holds the whole definition as it is afterwards. */
export interface RoutineUpdated {
  readonly type: 'RoutineUpdated';
  readonly data: Definition & {
    /** Null: the schedule goes on as it was. */
    readonly first_slot: string | null;
    /** The schedule in force from here on; a changed one has a new number. */
    readonly epoch: number;
    readonly at: string;
  };
}

/** It runs under a token of another lineage from here on. The schedule of an active one begins anew. */
export interface RoutineRebound {
  readonly type: 'RoutineRebound';
  readonly data: Binding & {
    readonly schedule: Schedule;
    /** Null: it is paused. */
    readonly first_slot: string | null;
    readonly epoch: number;
    readonly at: string;
  };
}

export interface RoutinePaused {
  readonly type: 'RoutinePaused';
  readonly data: {
    readonly reason: PauseReason;
    readonly note: string | null;
    /** The schedule that ends with it. */
    readonly epoch: number;
    readonly at: string;
  };
}

/** The schedule begins anew: what lay between is not missed. */
export interface RoutineResumed {
  readonly type: 'RoutineResumed';
  readonly data: {
    readonly schedule: Schedule;
    readonly first_slot: string;
    readonly epoch: number;
    readonly at: string;
  };
}

/** Slots that nobody was there for, of a routine that skips them. */
export interface RoutineSlotsSkipped {
  readonly type: 'RoutineSlotsSkipped';
  readonly data: {
    readonly epoch: number;
    readonly from: string;
    readonly to: string;
    readonly next_slot: string | null;
    readonly at: string;
  };
}

export interface RoutineDeleted {
  readonly type: 'RoutineDeleted';
  readonly data: { readonly epoch: number; readonly at: string };
}

export const ROUTINE_PREFIX = 'routine-';
export const routineStream = (id: string): string => `${ROUTINE_PREFIX}${id}`;
