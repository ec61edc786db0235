import type { Outcome } from '../event-log/decide-and-append.ts';
import { DecideCommand, handlerOf } from '../operation/decide-command.ts';
import { outcomeProblem } from '../operation/outcome-problem.ts';
import { conflict, notFound, type Problem } from '../problem/problem.ts';
import { type PersonCommand, personDecider, type PersonRefusal } from './decide.ts';
import { type PersonEvent, personStream } from './events.ts';
import type { KnownPerson } from './known-person.ts';

export type PersonOutcome = Outcome<KnownPerson, PersonEvent, PersonRefusal>;

/** Any command to one person. */
export class DecidePerson extends DecideCommand<PersonCommand, KnownPerson, PersonEvent, PersonRefusal> {}

export const DecidePersonHandler = handlerOf(DecidePerson, personStream, personDecider);

/** What a caller hears when the command was not done. */
export const personProblem = (outcome: Exclude<PersonOutcome, { kind: 'done' }>): Problem =>
  outcomeProblem(outcome, refusalProblem);

function refusalProblem(refusal: PersonRefusal): Problem {
  switch (refusal.code) {
    case 'not_found':
      return notFound('There is no such person here.');
    case 'exists':
      return conflict('This person exists already.');
    case 'company_not_found':
      return notFound('There is no such company here.');
    case 'no_member':
      return notFound('This person is no member of the company.');
    default:
      return unknownRefusal(refusal);
  }
}

function unknownRefusal(refusal: never): never {
  throw new Error(`unknown refusal ${JSON.stringify(refusal)}`);
}
