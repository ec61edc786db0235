import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { decideAndAppend, type Outcome } from '../../event-log/decide-and-append.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import type { HotView } from '../../hot-view/hot-view.ts';
import { EVENT_LOG, HOT_VIEW } from '../../injection-tokens.ts';
import { DecideCommand } from '../../operation/decide-command.ts';
import { outcomeProblem } from '../../operation/outcome-problem.ts';
import { conflict, forbidden, notFound, type Problem } from '../../problem/problem.ts';
import { loadViewCompany } from '../../tokens/company-limits.ts';
import type { Company } from './company.ts';
import { type CompanyCommand, companyDecider, type CompanyRefusal } from './decide.ts';
import { type CompanyEvent, companyStream } from './events.ts';

export type CompanyOutcome = Outcome<Company, CompanyEvent, CompanyRefusal>;

/** Any command to one company. */
export class DecideCompany extends DecideCommand<CompanyCommand, Company, CompanyEvent, CompanyRefusal> {}

/** Log first, then the view, then the answer: an answered change of limits is in force everywhere (P3, P13). */
@CommandHandler(DecideCompany)
export class DecideCompanyHandler implements ICommandHandler<DecideCompany> {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(HOT_VIEW) private readonly view: HotView,
  ) {}

  async execute({ id, command, context }: DecideCompany): Promise<CompanyOutcome> {
    const outcome = await decideAndAppend(this.log, companyStream(id), companyDecider, command, context);
    if (outcome.kind !== 'done') return outcome;
    // Also when nothing was appended: a repeat after a failed view write must bring the view up to date.
    const company = await loadViewCompany(this.log, id);
    if (company !== null) await this.view.putCompanies([company]);
    return outcome;
  }
}

/** What a caller hears when the command was not done. */
export const companyProblem = (outcome: Exclude<CompanyOutcome, { kind: 'done' }>): Problem =>
  outcomeProblem(outcome, refusalProblem);

function refusalProblem(refusal: CompanyRefusal): Problem {
  switch (refusal.code) {
    case 'not_found':
      return notFound('There is no such company here.');
    case 'exists':
      return conflict('This company exists already.');
    case 'beyond_authority':
      return forbidden('A company can be given only limits up to the giver’s own.');
    default:
      return unknownRefusal(refusal);
  }
}

function unknownRefusal(refusal: never): never {
  throw new Error(`unknown refusal ${JSON.stringify(refusal)}`);
}
