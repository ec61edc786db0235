import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type AppendContext, decideAndAppend, type Outcome } from '../../event-log/decide-and-append.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import { EVENT_LOG } from '../../injection-tokens.ts';
import { conflict, keyReused, notFound, preconditionFailed, type Problem } from '../../problem/problem.ts';
import { type ReportCommand, reportDecider, type ReportRefusal } from './decide.ts';
import { type ReportEvent, reportStream } from './events.ts';
import type { Report } from './report.ts';

export type ReportOutcome = Outcome<Report, ReportEvent, ReportRefusal>;

/** Any command to one report. */
export class DecideReport extends Command<ReportOutcome> {
  constructor(
    readonly id: string,
    readonly command: ReportCommand,
    readonly context: AppendContext,
  ) {
    super();
  }
}

@CommandHandler(DecideReport)
export class DecideReportHandler implements ICommandHandler<DecideReport> {
  constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

  execute({ id, command, context }: DecideReport): Promise<ReportOutcome> {
    return decideAndAppend(this.log, reportStream(id), reportDecider, command, context);
  }
}

/** What a caller hears when the command was not done. */
export function outcomeProblem(outcome: Exclude<ReportOutcome, { kind: 'done' }>): Problem {
  switch (outcome.kind) {
    case 'conflict':
      return preconditionFailed(outcome.revision);
    case 'key-reused':
      return keyReused();
    case 'refused':
      switch (outcome.refusal.code) {
        case 'report_not_found':
          return notFound('There is no such report here.');
        case 'comment_not_found':
          return notFound('There is no such comment here.');
        case 'exists':
          return conflict('This report exists already.');
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
