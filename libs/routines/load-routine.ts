import { type Fold, load } from '../event-log/decide-and-append.ts';
import type { EventLog, RecordedEvent } from '../event-log/event-log.ts';
import type { Actor } from '../person/actor.ts';
import { type RoutineEvent, routineStream } from './events.ts';
import { type DeletedRoutine, evolve, type LiveRoutine, noRoutine, type Routine } from './routine.ts';
import { evolve as evolveRun, noRun, type Run } from './runs/run.ts';
import { type RunEvent, runStream } from './runs/events.ts';

export interface StandingRoutine {
  readonly routine: LiveRoutine | DeletedRoutine;
  /** Who said last what it does, or under which token. */
  readonly writer: Actor;
  readonly revision: number;
}

interface Written {
  readonly routine: Routine;
  readonly writer: Actor | null;
}

const WRITES: ReadonlySet<RoutineEvent['type']> = new Set(['RoutineCreated', 'RoutineUpdated', 'RoutineRebound']);

const fold: Fold<Written, RoutineEvent> = {
  initialState: { routine: noRoutine, writer: null },
  evolve: ({ routine, writer }, event) => ({
    routine: evolve(routine, event),
    writer: WRITES.has(event.type) ? ((event as unknown as RecordedEvent).metadata['actor'] as Actor) : writer,
  }),
};

/** A routine straight from the log, as it is or as it was at a revision; null: there is none. */
export async function loadRoutine(log: EventLog, id: string, atRevision?: number): Promise<StandingRoutine | null> {
  const until = atRevision === undefined ? undefined : (event: RecordedEvent) => event.revision <= atRevision;
  const { state, revision } = await load(log, routineStream(id), fold, until);
  const { routine, writer } = state;
  return routine.status === 'none' || writer === null ? null : { routine, writer, revision };
}

const runFold: Fold<Run, RunEvent> = { initialState: noRun, evolve: evolveRun };

/** A run straight from the log. */
export const loadRun = async (log: EventLog, id: string): Promise<Run> =>
  (await load(log, runStream(id), runFold)).state;
