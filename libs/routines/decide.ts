import { type Decider, type Refused, refuse } from '../event-log/decide-and-append.ts';
import { lineageKey } from '../tokens/token-id.ts';
import type { Binding, Definition, PauseReason, RoutineEvent, RoutineRebound, Schedule, Step } from './events.ts';
import { evolve, type LiveRoutine, noRoutine, type Routine } from './routine.ts';

/**
 * Commands to one routine. That the asker may is checked before (reach.ts); which slot comes first is reckoned before
 * (schedule.ts). `at` is RFC 3339.
 */
export type RoutineCommand =
  CreateRoutine | UpdateRoutine | PauseRoutine | ResumeRoutine | SkipRoutineSlots | DeleteRoutine;

export interface CreateRoutine extends Binding {
  readonly type: 'CreateRoutine';
  readonly id: string;
  readonly workspace: string;
  readonly definition: Definition;
  readonly firstSlot: string;
  readonly at: string;
}

/** The first slot of a schedule that begins now, reckoned once it is known which schedule that is. */
type FirstSlotOf = (schedule: Schedule) => string;

export interface UpdateRoutine {
  readonly type: 'UpdateRoutine';
  readonly definition: Partial<Definition>;
  /** What it shall run under; null: what it does. */
  readonly binding: Binding | null;
  /** The steps it will have, and the catalogue they were found to be of; null: neither changes. */
  readonly checked: { readonly steps: readonly Step[]; readonly catalogue: string } | null;
  readonly firstSlotOf: FirstSlotOf;
  readonly at: string;
}

export interface PauseRoutine {
  readonly type: 'PauseRoutine';
  readonly reason: PauseReason;
  readonly note: string | null;
  /** The token that gives the reason: a routine of another lineage by now goes on. Null: none does. */
  readonly under: string | null;
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

export type RoutineRefusal =
  { readonly code: 'not_found' } | { readonly code: 'exists' } | { readonly code: 'changed_meanwhile' };

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
      const { reason, note, under } = command;
      if (under !== null && !isOfLineage(routine, under)) return [];
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

function update(command: UpdateRoutine, routine: LiveRoutine): Decision {
  const { definition: change, binding, checked } = command;
  const before = routine.definition;
  const after: Definition = { ...before, ...change };
  const { catalogue } = binding ?? routine;
  // Somebody else bound it, or changed the steps, since they were checked.
  const unchecked = checked !== null && (checked.catalogue !== catalogue || !same(checked.steps, after.steps));
  if (unchecked) return refuse({ code: 'changed_meanwhile' });
  const updated = same(after, before) ? [] : redefine(command, after, routine);
  const redefined = updated.reduce(evolve, routine) as LiveRoutine;
  // Under another token of its lineage it runs already: the newest.
  if (binding === null || isOfLineage(routine, binding.token)) return updated;
  return [...updated, rebind(command, binding, redefined)];
}

const isOfLineage = (routine: LiveRoutine, token: string): boolean => lineageKey(routine.lineage) === lineageKey(token);

/** An epoch of its own: failures of the token before are not held against the new one. */
function rebind({ firstSlotOf, at }: UpdateRoutine, binding: Binding, routine: LiveRoutine): RoutineRebound {
  const { schedule } = routine.definition;
  const { catalogue, lineage, token } = binding;
  const begins = routine.status === 'active';
  const when = { first_slot: begins ? firstSlotOf(schedule) : null, epoch: routine.epoch + (begins ? 1 : 0) };
  return { type: 'RoutineRebound', data: { catalogue, lineage, token, schedule, ...when, at } };
}

function redefine({ firstSlotOf, at }: UpdateRoutine, after: Definition, routine: LiveRoutine): RoutineEvent[] {
  const before = routine.definition;
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
