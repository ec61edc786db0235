import type { Outcome } from '../../event-log/decide-and-append.ts';
import { DecideCommand, handlerOf } from '../../operation/decide-command.ts';
import { outcomeProblem } from '../../operation/outcome-problem.ts';
import { conflict, notFound, type Problem } from '../../problem/problem.ts';
import { type ReportCommand, reportDecider, type ReportRefusal } from './decide.ts';
import { type ReportEvent, reportStream } from './events.ts';
import type { Report } from './report.ts';

export type ReportOutcome = Outcome<Report, ReportEvent, ReportRefusal>;

/** Any command to one report. */
export class DecideReport extends DecideCommand<ReportCommand, Report, ReportEvent, ReportRefusal> {}

export const DecideReportHandler = handlerOf(DecideReport, reportStream, reportDecider);

export const reportProblem = (outcome: Exclude<ReportOutcome, { kind: 'done' }>): Problem =>
  outcomeProblem(outcome, refusalProblem);

function refusalProblem(refusal: ReportRefusal): Problem {
  switch (refusal.code) {
    case 'report_not_found':
      return notFound('There is no such report here.');
    case 'comment_not_found':
      return notFound('There is no such comment here.');
    case 'exists':
      return conflict('This report exists already.');
    default:
      return unknownRefusal(refusal);
  }
}

function unknownRefusal(refusal: never): never {
  throw new Error(`unknown refusal ${JSON.stringify(refusal)}`);
}
