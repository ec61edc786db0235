import type { Binding, Definition, PauseReason, RoutineEvent } from './events.ts';

/** A routine as its stream tells it. */
export type Routine = NoRoutine | LiveRoutine | DeletedRoutine;

export interface NoRoutine {
  readonly status: 'none';
}

interface Facts extends Binding {
  readonly id: string;
  readonly workspace: string;
  readonly definition: Definition;
  /** Numbers the schedule in force: a changed or resumed one is another. */
  readonly epoch: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface ActiveRoutine extends Facts {
  readonly status: 'active';
}

export interface PausedRoutine extends Facts {
  readonly status: 'paused';
  readonly pause: { readonly reason: PauseReason; readonly note: string | null; readonly at: string };
}

export type LiveRoutine = ActiveRoutine | PausedRoutine;

export interface DeletedRoutine extends Facts {
  readonly status: 'deleted';
}

export const noRoutine: Routine = { status: 'none' };

export function evolve(routine: Routine, event: RoutineEvent): Routine {
  if (event.type === 'RoutineCreated') {
    const { id, workspace, catalogue, lineage, token, at } = event.data;
    const facts = { id, workspace, catalogue, lineage, token, definition: definitionOf(event.data) };
    return { status: 'active', ...facts, epoch: 1, createdAt: at, updatedAt: at };
  }
  if (routine.status === 'none') throw new Error(`${event.type} before RoutineCreated`);
  if (routine.status === 'deleted') return routine;
  switch (event.type) {
    case 'RoutineUpdated': {
      const { epoch, at } = event.data;
      return { ...routine, definition: definitionOf(event.data), epoch, updatedAt: at };
    }
    case 'RoutineRebound': {
      const { catalogue, lineage, token, epoch, at } = event.data;
      return { ...routine, catalogue, lineage, token, epoch, updatedAt: at };
    }
    case 'RoutinePaused': {
      const { reason, note, at } = event.data;
      return { ...routine, status: 'paused', pause: { reason, note, at } };
    }
    case 'RoutineResumed':
      return { ...factsOf(routine), status: 'active', epoch: event.data.epoch };
    case 'RoutineSlotsSkipped':
      return routine;
    case 'RoutineDeleted':
      return { ...factsOf(routine), status: 'deleted' };
    default:
      return unknownEvent(event);
  }
}

const definitionOf = ({ name, schedule, steps, missed_slots }: Definition): Definition => ({
  name,
  schedule,
  steps,
  missed_slots,
});

function factsOf(routine: LiveRoutine): Facts {
  const { id, workspace, catalogue, lineage, token, definition, epoch, createdAt, updatedAt } = routine;
  return { id, workspace, catalogue, lineage, token, definition, epoch, createdAt, updatedAt };
}

function unknownEvent(event: never): never {
  throw new Error(`unknown routine event ${(event as { type: string }).type}`);
}
