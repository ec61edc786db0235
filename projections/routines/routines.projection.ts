import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Actor } from '../../libs/person/actor.ts';
import { type Change, put, set } from '../../libs/projection/change.ts';
import type { Projection } from '../../libs/projection/projection.ts';
import {
  type Definition,
  type MissedSlots,
  type PauseReason,
  ROUTINE_PREFIX,
  type RoutineEvent,
  type Schedule,
  type Step,
} from '../../libs/routines/events.ts';
import type { RoutineView, RunStatus } from '../../libs/routines/queries.ts';
import {
  type DeferralReason,
  RUN_PREFIX,
  type RunEvent,
  type RunOpened,
  type StepResult,
} from '../../libs/routines/runs/events.ts';
import { lineageKey } from '../../libs/tokens/token-id.ts';

export interface RoutineTables {
  routines: {
    id: string;
    workspace: string;
    catalogue: string;
    lineage: string;
    lineage_key: string;
    name: string;
    schedule: Schedule;
    steps: Step[];
    missed_slots: MissedSlots;
    status: RoutineView['status'];
    pause: { reason: PauseReason; note: string | null; at: string } | null;
    epoch: number;
    version: number;
    actor: Actor;
    created_at: string;
    updated_at: string;
    /** Of its first event: the order of the list. */
    position: number;
  };
  /** One row an epoch, so that a late word of an ended one cannot disturb the one in force. Times: Unix ms. */
  schedules: {
    routine: string;
    epoch: number;
    cron: string;
    time_zone: string;
    live: boolean;
    due_at: number | null;
    last_slot: number | null;
  };
  runs: {
    id: string;
    routine: string;
    /** It ran under. */
    lineage: string;
    epoch: number;
    trigger: RunOpened['data']['trigger'];
    slot: string;
    missed_since: string | null;
    status: RunStatus;
    reason: string | null;
    deferred: { step: number; reason: DeferralReason; until: string } | null;
    token: string;
    label: string;
    steps_done: number;
    actor: Actor;
    opened_at: string;
    ended_at: string | null;
    /** When anyone may take it, Unix ms. */
    free_at: number;
    position: number;
  };
  steps: StepResult & { run: string; at: string };
}

/** Routines, their schedules, their runs and each run's steps: what people see, and what the runners look for work in. */
export const routines: Projection = {
  name: 'routines',
  version: 2,
  streamPrefixes: [ROUTINE_PREFIX, RUN_PREFIX],
  tables: {
    routines: {
      columns: {
        id: 'text',
        workspace: 'text',
        catalogue: 'text',
        lineage: 'text',
        lineage_key: 'text',
        name: 'text',
        schedule: 'jsonb',
        steps: 'jsonb',
        missed_slots: 'text',
        status: 'text',
        pause: 'jsonb',
        epoch: 'integer',
        version: 'integer',
        actor: 'jsonb',
        created_at: 'text',
        updated_at: 'text',
        position: 'bigint',
      },
      primaryKey: ['id'],
      indexes: ['(workspace, position desc)', `(lineage_key) where status = 'active'`],
    },
    schedules: {
      columns: {
        routine: 'text',
        epoch: 'integer',
        cron: 'text',
        time_zone: 'text',
        live: 'boolean',
        due_at: 'bigint',
        last_slot: 'bigint',
      },
      primaryKey: ['routine', 'epoch'],
      indexes: ['(due_at) where live', '(last_slot) where live'],
    },
    runs: {
      columns: {
        id: 'text',
        routine: 'text',
        lineage: 'text',
        epoch: 'integer',
        trigger: 'text',
        slot: 'text',
        missed_since: 'text',
        status: 'text',
        reason: 'text',
        deferred: 'jsonb',
        token: 'text',
        label: 'text',
        steps_done: 'integer',
        actor: 'jsonb',
        opened_at: 'text',
        ended_at: 'text',
        free_at: 'bigint',
        position: 'bigint',
      },
      primaryKey: ['id'],
      indexes: ['(routine, position desc)', '(free_at) where ended_at is null', '(routine) where ended_at is null'],
    },
    steps: {
      columns: {
        run: 'text',
        step: 'integer',
        operation: 'text',
        decision: 'text',
        status: 'integer',
        request_id: 'text',
        position: 'bigint',
        reason: 'text',
        token: 'text',
        label: 'text',
        at: 'text',
      },
      primaryKey: ['run', 'step'],
    },
  },
  apply(recorded) {
    return recorded.stream.startsWith(ROUTINE_PREFIX)
      ? ofRoutine(recorded as RecordedEvent & RoutineEvent)
      : ofRun(recorded as RecordedEvent & RunEvent);
  },
};

function ofRoutine(event: RecordedEvent & RoutineEvent): Change[] {
  const id = event.stream.slice(ROUTINE_PREFIX.length);
  const { revision: version, position } = event;
  const routine = (values: Partial<RoutineTables['routines']>): Change =>
    set('routines', { id }, { ...values, version });
  const ended = (epoch: number): Change => set('schedules', { routine: id, epoch }, { live: false });
  switch (event.type) {
    case 'RoutineCreated': {
      const { workspace, catalogue, lineage, first_slot, at } = event.data;
      const row = { id, workspace, catalogue, lineage, lineage_key: lineageKey(lineage), ...definition(event.data) };
      const times = { created_at: at, updated_at: at };
      return [
        put('routines', { ...row, status: 'active', epoch: 1, version, actor: actorOf(event), ...times, position }),
        begun(id, 1, event.data.schedule, first_slot),
      ];
    }
    case 'RoutineUpdated': {
      const { first_slot, epoch, schedule, at } = event.data;
      const changed = routine({ ...definition(event.data), epoch, actor: actorOf(event), updated_at: at });
      return first_slot === null ? [changed] : [changed, ended(epoch - 1), begun(id, epoch, schedule, first_slot)];
    }
    case 'RoutineRebound': {
      const { catalogue, lineage, schedule, first_slot, epoch, at } = event.data;
      const bound = { catalogue, lineage, lineage_key: lineageKey(lineage), epoch };
      const changed = routine({ ...bound, actor: actorOf(event), updated_at: at });
      return first_slot === null ? [changed] : [changed, ended(epoch - 1), begun(id, epoch, schedule, first_slot)];
    }
    case 'RoutinePaused': {
      const { reason, note, epoch, at } = event.data;
      return [routine({ status: 'paused', pause: { reason, note, at } }), ended(epoch)];
    }
    case 'RoutineResumed': {
      const { schedule, first_slot, epoch } = event.data;
      return [routine({ status: 'active', pause: null, epoch }), begun(id, epoch, schedule, first_slot)];
    }
    case 'RoutineSlotsSkipped': {
      const { epoch, to, next_slot } = event.data;
      return [routine({}), set('schedules', { routine: id, epoch }, { due_at: ms(next_slot), last_slot: ms(to) })];
    }
    case 'RoutineDeleted':
      return [routine({ status: 'deleted', pause: null }), ended(event.data.epoch)];
    default:
      return unknownEvent(event);
  }
}

function ofRun(event: RecordedEvent & RunEvent): Change[] {
  const id = event.stream.slice(RUN_PREFIX.length);
  const run = (values: Partial<RoutineTables['runs']>): Change => set('runs', { id }, values);
  switch (event.type) {
    case 'RunOpened': {
      const { routine, lineage, epoch, trigger, slot, missed_since, next_slot, token, label, at } = event.data;
      const facts = { id, routine, lineage, epoch, trigger, slot, missed_since, token, label, opened_at: at };
      const { position } = event;
      const row = { ...facts, status: 'waiting', steps_done: 0, actor: actorOf(event), free_at: ms(at), position };
      const opened = put('runs', row);
      if (trigger === 'by_hand') return [opened];
      return [opened, set('schedules', { routine, epoch }, { due_at: ms(next_slot), last_slot: ms(slot) })];
    }
    case 'RunClaimed':
      return [run({ status: 'running', deferred: null, free_at: Date.parse(event.data.lease_until) })];
    case 'StepRecorded': {
      const { kept: _kept, lease_until, at, ...result } = event.data;
      return [
        put('steps', { run: id, ...result, at }),
        run({ steps_done: result.step + 1, free_at: Date.parse(lease_until) }),
      ];
    }
    case 'StepDeferred': {
      const { step, reason, until } = event.data;
      return [run({ status: 'deferred', deferred: { step, reason, until }, free_at: Date.parse(until) })];
    }
    case 'RunEnded': {
      const { outcome, reason, at } = event.data;
      return [run({ status: outcome, reason, deferred: null, ended_at: at })];
    }
    default:
      return unknownEvent(event);
  }
}

const begun = (routine: string, epoch: number, { cron, time_zone }: Schedule, firstSlot: string): Change =>
  put('schedules', { routine, epoch, cron, time_zone, live: true, due_at: ms(firstSlot) });

const definition = ({ name, schedule, steps, missed_slots }: Definition) => ({
  name,
  schedule,
  steps: [...steps],
  missed_slots,
});

const ms = (time: string | null): number | null => (time === null ? null : Date.parse(time));

function actorOf(event: RecordedEvent): Actor {
  const actor = event.metadata['actor'] as Actor | undefined;
  if (actor === undefined) throw new Error('the event names no actor');
  return actor;
}

function unknownEvent(event: never): never {
  throw new Error(`unknown event of a routine ${(event as RecordedEvent).type}`);
}
