import type { Outcome } from '../event-log/decide-and-append.ts';
import { keyReused, preconditionFailed, type Problem } from '../problem/problem.ts';

export type NotDone<Refusal> = Exclude<Outcome<unknown, unknown, Refusal>, { kind: 'done' }>;

/** What a caller hears when a command was not done; the words of its refusals are the aggregate's own. */
export function outcomeProblem<Refusal>(
  outcome: NotDone<Refusal>,
  refusalProblem: (refusal: Refusal) => Problem,
): Problem {
  switch (outcome.kind) {
    case 'refused':
      return refusalProblem(outcome.refusal);
    case 'conflict':
      return preconditionFailed(outcome.revision);
    case 'key-reused':
      return keyReused();
    default:
      return unknownOutcome(outcome);
  }
}

function unknownOutcome(outcome: never): never {
  throw new Error(`unknown outcome ${JSON.stringify(outcome)}`);
}
