import { unqualify } from '../catalogue/catalogue.ts';
import type { Verdict } from '../hot-view/hot-view.ts';
import { missingScope, type Problem, tooManyRequests, unauthorized, unavailable } from '../problem/problem.ts';

type Refusal = Exclude<Verdict, { readonly kind: 'admitted' }>;

/** What a caller hears whom the view did not let in. Scope before limit: a 403 costs no read or write. */
export function refusalProblem(verdict: Refusal, scope: string | null): Problem {
  if (verdict.kind === 'not-ready')
    return unavailable(`The view of live tokens is not ready: ${verdict.reason}.`, verdict.retryAfterSeconds);
  if (verdict.kind === 'unknown') return unauthorized();
  if (!verdict.withinRefusals) return tooManyRequests('This token was refused too often.', verdict.retryAfterSeconds);
  switch (verdict.reason) {
    case 'missing_scope':
      return missingScope(unqualify(scope ?? ''));
    case 'throttled':
      return tooManyRequests(
        `The limit of ${verdict.short.join(' and ')} a minute is used up.`,
        verdict.retryAfterSeconds,
      );
    case 'ceiling':
      return tooManyRequests(
        `The workspace’s ceiling of ${verdict.short.join(' and ')} a minute is used up: its tokens share it.`,
        verdict.retryAfterSeconds,
      );
    case 'revoked':
    case 'expired':
    case 'rotated':
    case 'suspended':
    case 'inert':
      return unauthorized();
    default:
      return unknownReason(verdict);
  }
}

function unknownReason(verdict: never): never {
  throw new Error(`unknown refusal ${JSON.stringify(verdict)}`);
}
