import type { Outcome } from '../../event-log/decide-and-append.ts';
import { DecideCommand, handlerOf } from '../../operation/decide-command.ts';
import { outcomeProblem } from '../../operation/outcome-problem.ts';
import { conflict, forbidden, notFound, type Problem } from '../../problem/problem.ts';
import type { Company } from './company.ts';
import { type CompanyCommand, companyDecider, type CompanyRefusal } from './decide.ts';
import { type CompanyEvent, companyStream } from './events.ts';

export type CompanyOutcome = Outcome<Company, CompanyEvent, CompanyRefusal>;

/** Any command to one company. */
export class DecideCompany extends DecideCommand<CompanyCommand, Company, CompanyEvent, CompanyRefusal> {}

export const DecideCompanyHandler = handlerOf(DecideCompany, companyStream, companyDecider);

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
