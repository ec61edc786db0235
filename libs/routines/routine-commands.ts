import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type AppendContext, decideAndAppend, type Outcome } from '../event-log/decide-and-append.ts';
import type { EventLog } from '../event-log/event-log.ts';
import { EVENT_LOG } from '../injection-tokens.ts';
import { conflict, keyReused, notFound, preconditionFailed, type Problem } from '../problem/problem.ts';
import { type RoutineCommand, routineDecider, type RoutineRefusal } from './decide.ts';
import { type RoutineEvent, routineStream } from './events.ts';
import type { Routine } from './routine.ts';
import { type RunCommand, runDecider, type RunRefusal } from './runs/decide.ts';
import { type RunEvent, runStream } from './runs/events.ts';
import type { Run } from './runs/run.ts';

export type RoutineOutcome = Outcome<Routine, RoutineEvent, RoutineRefusal>;
export type RunOutcome = Outcome<Run, RunEvent, RunRefusal>;

/** Any command to one routine. */
export class DecideRoutine extends Command<RoutineOutcome> {
  constructor(
    readonly id: string,
    readonly command: RoutineCommand,
    readonly context: AppendContext,
  ) {
    super();
  }
}

@CommandHandler(DecideRoutine)
export class DecideRoutineHandler implements ICommandHandler<DecideRoutine> {
  constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

  execute({ id, command, context }: DecideRoutine): Promise<RoutineOutcome> {
    return decideAndAppend(this.log, routineStream(id), routineDecider, command, context);
  }
}

/** Any command to one run. */
export class DecideRun extends Command<RunOutcome> {
  constructor(
    readonly id: string,
    readonly command: RunCommand,
    readonly context: AppendContext,
  ) {
    super();
  }
}

@CommandHandler(DecideRun)
export class DecideRunHandler implements ICommandHandler<DecideRun> {
  constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

  execute({ id, command, context }: DecideRun): Promise<RunOutcome> {
    return decideAndAppend(this.log, runStream(id), runDecider, command, context);
  }
}

export const NO_ROUTINE = 'There is no such routine here.';

/** What a caller hears when the command was not done. */
export function outcomeProblem(
  outcome: Exclude<RoutineOutcome, { kind: 'done' }> | Exclude<RunOutcome, { kind: 'done' }>,
): Problem {
  switch (outcome.kind) {
    case 'conflict':
      return preconditionFailed(outcome.revision);
    case 'key-reused':
      return keyReused();
    case 'refused':
      switch (outcome.refusal.code) {
        case 'not_found':
          return notFound(NO_ROUTINE);
        case 'exists':
        case 'taken':
        case 'ended':
          return conflict('This exists already.');
        default:
          return unknown(outcome.refusal);
      }
    default:
      return unknown(outcome);
  }
}

function unknown(value: never): never {
  throw new Error(`unknown outcome ${JSON.stringify(value)}`);
}
