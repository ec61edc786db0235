import { outcomeProblem } from '../operation/outcome-problem.ts';
import { conflict, forbidden, invalid, notFound, type Problem } from '../problem/problem.ts';
import type { TokenRefusal } from './decide.ts';
import type { TokenOutcome } from './token-commands.ts';

export const tokenProblem = (outcome: Exclude<TokenOutcome, { kind: 'done' }>): Problem =>
  outcomeProblem(outcome, refusalProblem);

const EXCESS = {
  owner: 'Tokens of other people need the scope people:write.',
  scopes: 'A token can give only scopes it holds itself.',
  restriction: 'A token can give only what lies within its own restriction.',
  limits: 'A token can give only limits up to its own.',
  lifetime: 'A token can give only a life that ends no later than its own.',
} as const;

function refusalProblem(refusal: TokenRefusal): Problem {
  switch (refusal.code) {
    case 'not_found':
      return notFound('There is no such token here.');
    case 'exists':
      return conflict('This token exists already.');
    case 'dead':
      return conflict(`This token is ${refusal.status}; that cannot be undone.`);
    case 'already_rotated':
      return conflict('This token was rotated already.', refusal.successor);
    case 'beyond_authority':
      return forbidden(EXCESS[refusal.excess]);
    case 'unknown_scope':
      return field('scopes', `${refusal.scope} is no scope of this catalogue`);
    case 'no_scopes':
      return field('scopes', 'must name at least one scope');
    case 'not_pinnable':
      return field('restrict', 'tokens of this catalogue cannot be pinned');
    case 'too_many_companies':
      return field('restrict.companies', 'at most one: make one token a company');
    case 'projects_without_company':
      return field('restrict.projects', 'name their company too');
    case 'expires_in_the_past':
      return field('expires_at', 'must lie in the future');
    default:
      return unknown(refusal);
  }
}

const field = (name: string, message: string): Problem => invalid([{ field: name, message }]);

function unknown(value: never): never {
  throw new Error(`unknown refusal ${JSON.stringify(value)}`);
}
