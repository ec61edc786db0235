import type { ProblemCode } from '../problem/problem.ts';
import { inputSchema } from './input-schema.ts';
import type { OperationSpec } from './operation.ts';

/** A way an operation can be refused: its status on REST, its code on every face, and when. */
export interface PossibleProblem {
  readonly status: number;
  readonly code: ProblemCode;
  readonly when: string;
}

const FORBIDDEN = 'the token lacks the scope (`missing_scope` names it), or the thing is beyond what it may touch';

/** Everything a caller of the operation must be ready for, by status; what its declaration rules out is left out. */
export function problemsOf(spec: OperationSpec): readonly PossibleProblem[] {
  const { scope, http, effect, streams, alsoAs } = spec;
  const hasPath = http.path.includes(':');
  const writes = effect !== 'reads';
  const hasBody = http.method === 'post' || http.method === 'patch';
  const hasInput = Object.keys(inputSchema(spec.input).properties).length > 0;
  const all: readonly (PossibleProblem | false)[] = [
    { status: 400, code: 'invalid', when: 'the request cannot be read: its JSON, a header, a cursor' },
    { status: 401, code: 'unauthorized', when: 'no live token was shown' },
    (scope !== null || writes) && { status: 403, code: 'forbidden', when: FORBIDDEN },
    hasPath && { status: 404, code: 'not_found', when: 'there is no such thing, or none the token can see' },
    writes && { status: 409, code: 'conflict', when: 'something that is there already is in the way' },
    writes && { status: 412, code: 'conflict', when: 'it was changed since the version named by `If-Match`' },
    hasBody && { status: 413, code: 'invalid', when: 'the body is too large' },
    hasBody && { status: 415, code: 'invalid', when: 'the body is of another media type' },
    (streams ?? alsoAs) !== undefined && {
      status: 416,
      code: 'invalid',
      when: 'the range asked for lies beyond the end',
    },
    (hasInput || writes) && { status: 422, code: 'invalid', when: 'a field is not as declared; `errors` names it' },
    hasInput && { status: 422, code: 'contains_secret', when: 'a text holds a token' },
    {
      status: 429,
      code: 'too_many_requests',
      when: 'the limit is used up, or the token was refused too often; `retry_after` says how long',
    },
    { status: 500, code: 'internal', when: 'something went wrong on our side' },
    {
      status: 503,
      code: 'unavailable',
      when: 'nothing can be checked or recorded for now; `retry_after` says how long',
    },
  ];
  return all.filter((problem) => problem !== false);
}
