import { type Decider, type Refused, refuse } from '../event-log/decide-and-append.ts';
import type { Definition, PauseReason, RoutineEvent, Schedule } from './events.ts';
import { evolve, type LiveRoutine, noRoutine, type Routine } from './routine.ts';

/**
 * Commands to one routine. That the asker may is checked before (reach.ts); which slot comes first is reckoned before
 * (schedule.ts). `at` is RFC 3339.
 */
export type RoutineCommand =
  CreateRoutine | UpdateRoutine | PauseRoutine | ResumeRoutine | SkipRoutineSlots | DeleteRoutine;

export interface CreateRoutine {
  readonly type: 'CreateRoutine';
  readonly id: string;
  readonly workspace: string;
  readonly catalogue: string;
  readonly lineage: string;
  readonly token: string;
  readonly definition: Definition;
  readonly firstSlot: string;
  readonly at: string;
}

/** The first slot of a schedule that begins now, reckoned once it is known which schedule that is. */
type FirstSlotOf = (schedule: Schedule) => string;

export interface UpdateRoutine {
  readonly type: 'UpdateRoutine';
  readonly definition: Partial<Definition>;
  readonly firstSlotOf: FirstSlotOf;
  readonly at: string;
}

export interface PauseRoutine {
  readonly type: 'PauseRoutine';
  readonly reason: PauseReason;
  readonly note: string | null;
  readonly at: string;
}

export interface ResumeRoutine {
  readonly type: 'ResumeRoutine';
  readonly firstSlotOf: FirstSlotOf;
  readonly at: string;
}

export interface SkipRoutineSlots {
  readonly type: 'SkipRoutineSlots';
  readonly epoch: number;
  readonly from: string;
  readonly to: string;
  readonly nextSlot: string | null;
  readonly at: string;
}

export interface DeleteRoutine {
  readonly type: 'DeleteRoutine';
  readonly at: string;
}

export type RoutineRefusal = { readonly code: 'not_found' } | { readonly code: 'exists' };

type Decision = readonly RoutineEvent[] | Refused<RoutineRefusal>;

export function decide(command: RoutineCommand, routine: Routine): Decision {
  if (command.type === 'CreateRoutine') {
    if (routine.status !== 'none') return refuse({ code: 'exists' });
    const { id, workspace, catalogue, lineage, token, definition, firstSlot, at } = command;
    const data = { ...definition, id, workspace, catalogue, lineage, token, first_slot: firstSlot, at };
    return [{ type: 'RoutineCreated', data }];
  }
  if (routine.status === 'none') return refuse({ code: 'not_found' });
  // Deleting twice is once; nothing else is left to do.
  if (routine.status === 'deleted') return command.type === 'DeleteRoutine' ? [] : refuse({ code: 'not_found' });
  return decideExisting(command, routine);
}

function decideExisting(command: Exclude<RoutineCommand, CreateRoutine>, routine: LiveRoutine): Decision {
  const { at } = command;
  const { epoch } = routine;
  switch (command.type) {
    case 'UpdateRoutine':
      return update(command, routine);
    case 'PauseRoutine': {
      // The first reason stands.
      if (routine.status === 'paused') return [];
      const { reason, note } = command;
      return [{ type: 'RoutinePaused', data: { reason, note, epoch, at } }];
    }
    case 'ResumeRoutine': {
      if (routine.status === 'active') return [];
      const { schedule } = routine.definition;
      const data = { schedule, first_slot: command.firstSlotOf(schedule), epoch: epoch + 1, at };
      return [{ type: 'RoutineResumed', data }];
    }
    case 'SkipRoutineSlots': {
      // A schedule that ended meanwhile misses nothing.
      if (routine.status === 'paused' || command.epoch !== epoch) return [];
      const { from, to, nextSlot } = command;
      return [{ type: 'RoutineSlotsSkipped', data: { epoch, from, to, next_slot: nextSlot, at } }];
    }
    case 'DeleteRoutine':
      return [{ type: 'RoutineDeleted', data: { epoch, at } }];
    default:
      return unknownCommand(command);
  }
}

function update({ definition: change, firstSlotOf, at }: UpdateRoutine, routine: LiveRoutine): Decision {
  const before = routine.definition;
  const after: Definition = { ...before, ...change };
  if (same(after, before)) return [];
  // A paused routine's new schedule begins when it is resumed.
  const begins = routine.status === 'active' && !same(after.schedule, before.schedule);
  const epoch = begins ? routine.epoch + 1 : routine.epoch;
  const first_slot = begins ? firstSlotOf(after.schedule) : null;
  return [{ type: 'RoutineUpdated', data: { ...after, first_slot, epoch, at } }];
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function unknownCommand(command: never): never {
  throw new Error(`unknown routine command ${(command as { type: string }).type}`);
}

export const routineDecider: Decider<RoutineCommand, Routine, RoutineEvent, RoutineRefusal> = {
  initialState: noRoutine,
  decide,
  evolve,
};
