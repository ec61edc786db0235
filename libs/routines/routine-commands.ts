import type { Outcome } from '../event-log/decide-and-append.ts';
import { DecideCommand, handlerOf } from '../operation/decide-command.ts';
import { outcomeProblem } from '../operation/outcome-problem.ts';
import { conflict, notFound, type Problem } from '../problem/problem.ts';
import { type RoutineCommand, routineDecider, type RoutineRefusal } from './decide.ts';
import { type RoutineEvent, routineStream } from './events.ts';
import type { Routine } from './routine.ts';
import { type RunCommand, runDecider, type RunRefusal } from './runs/decide.ts';
import { type RunEvent, runStream } from './runs/events.ts';
import type { Run } from './runs/run.ts';

/** Any command to one routine. */
export class DecideRoutine extends DecideCommand<RoutineCommand, Routine, RoutineEvent, RoutineRefusal> {}

export const DecideRoutineHandler = handlerOf(DecideRoutine, routineStream, routineDecider);

/** Any command to one run. */
export class DecideRun extends DecideCommand<RunCommand, Run, RunEvent, RunRefusal> {}

export const DecideRunHandler = handlerOf(DecideRun, runStream, runDecider);

export const NO_ROUTINE = 'There is no such routine here.';

type Refusal = RoutineRefusal | RunRefusal;

export const routineProblem = (outcome: Exclude<Outcome<unknown, unknown, Refusal>, { kind: 'done' }>): Problem =>
  outcomeProblem(outcome, refusalProblem);

function refusalProblem(refusal: Refusal): Problem {
  switch (refusal.code) {
    case 'not_found':
      return notFound(NO_ROUTINE);
    case 'changed_meanwhile':
      return conflict('This routine was changed meanwhile. Look at it, and say it again.');
    case 'exists':
    case 'taken':
    case 'ended':
      return conflict('This exists already.');
    default:
      return unknownRefusal(refusal);
  }
}

function unknownRefusal(refusal: never): never {
  throw new Error(`unknown refusal ${JSON.stringify(refusal)}`);
}
