/** Every refusal the outside sees: RFC 9457 problem details, one stable code each (DESIGN §5). */

export type ProblemCode =
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'invalid'
  | 'contains_secret'
  | 'too_many_requests'
  | 'unavailable'
  | 'internal';

export interface FieldError {
  /** Path of the field: `limits.reads.per_minute`; empty for the body as a whole. */
  readonly field: string;
  readonly message: string;
}

/** The members of `application/problem+json`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  /** Seconds. */
  readonly retry_after?: number;
  /** The scope a 403 asks for, as the product names it. */
  readonly missing_scope?: string;
  /** What a 409 is in the way of. */
  readonly existing?: string;
}

const TITLES: Record<ProblemCode, string> = {
  unauthorized: 'Unauthorized',
  forbidden: 'Forbidden',
  not_found: 'Not found',
  conflict: 'Conflict',
  invalid: 'Invalid',
  contains_secret: 'Contains a secret',
  too_many_requests: 'Too many requests',
  unavailable: 'Unavailable',
  internal: 'Internal error',
};

function problem(
  code: ProblemCode,
  status: number,
  detail: string,
  more: Pick<Problem, 'errors' | 'retry_after' | 'missing_scope' | 'existing'> = {},
): Problem {
  return { type: `urn:writ:problem:${code}`, title: TITLES[code], status, code, detail, ...more };
}

export const isProblem = (value: object): value is Problem => 'code' in value && 'status' in value && 'title' in value;

/** One word for every dead, unknown and mistyped credential: an answer tells nobody which it was. */
export const unauthorized = (detail = 'A live token is needed: Authorization: Bearer …'): Problem =>
  problem('unauthorized', 401, detail);

export const credentialTooLong = (): Problem => problem('unauthorized', 431, 'The Authorization header is too long.');

export const missingScope = (scope: string): Problem =>
  problem('forbidden', 403, `This token lacks the scope ${scope}.`, { missing_scope: scope });

export const forbidden = (detail: string): Problem => problem('forbidden', 403, detail);

export const notFound = (detail = 'There is no such thing here.'): Problem => problem('not_found', 404, detail);

export const conflict = (detail: string, existing?: string): Problem =>
  problem('conflict', 409, detail, existing === undefined ? {} : { existing });

export const preconditionFailed = (revision: number): Problem =>
  problem('conflict', 412, `It was changed meanwhile and is now at "${revision}".`);

export const malformed = (detail: string, field = ''): Problem =>
  problem('invalid', 400, detail, { errors: [{ field, message: detail }] });

export const unsupportedMediaType = (): Problem =>
  problem('invalid', 415, 'The body must be application/json.', {
    errors: [{ field: 'content-type', message: 'must be application/json' }],
  });

export const bodyTooLarge = (limitBytes: number): Problem =>
  problem('invalid', 413, `The body may hold ${limitBytes} bytes at most.`, {
    errors: [{ field: '', message: `at most ${limitBytes} bytes` }],
  });

/** Fits into a request, but not into the log with all that is recorded beside it. */
export const tooLargeToStore = (limitBytes: number): Problem =>
  problem('invalid', 413, `What this would store is larger than one event may be (${limitBytes} bytes).`, {
    errors: [{ field: '', message: `larger than an event of ${limitBytes} bytes` }],
  });

export const invalid = (errors: readonly FieldError[]): Problem =>
  problem(
    'invalid',
    422,
    errors.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`)).join('; '),
    {
      errors,
    },
  );

export const keyReused = (): Problem =>
  problem('invalid', 422, 'This Idempotency-Key was used with another input.', {
    errors: [{ field: 'idempotency-key', message: 'was used with another input' }],
  });

export const containsSecret = (field = ''): Problem =>
  problem('contains_secret', 422, 'The text holds a token. Remove it, and rotate the token: consider it leaked.', {
    errors: [{ field, message: 'holds a token' }],
  });

/** On a face that carries JSON only. */
export const takesBytes = (): Problem =>
  problem('invalid', 415, 'This operation takes a file: call it over REST.', {
    errors: [{ field: '', message: 'must be the bytes of a file' }],
  });

/** On a face that carries JSON only. */
export const otherThanJson = (): Problem =>
  problem('invalid', 422, 'This format can be had over REST only; ask for JSON here.', {
    errors: [{ field: 'format', message: 'must be json on this face' }],
  });

/** What a file's bytes say it is, is nothing that is kept. */
export const fileTypeUnknown = (types: readonly string[]): Problem =>
  problem('invalid', 415, `The file must be one of ${types.join(', ')}.`, {
    errors: [{ field: '', message: `must be one of ${types.join(', ')}` }],
  });

/** RFC 9110 §15.5.17. */
export const rangeNotSatisfiable = (lengthBytes: number): Problem =>
  problem('invalid', 416, `The range lies beyond its ${lengthBytes} bytes.`, {
    errors: [{ field: 'range', message: `must begin within ${lengthBytes} bytes` }],
  });

export const tooManyRequests = (detail: string, retryAfterSeconds: number): Problem =>
  problem('too_many_requests', 429, detail, { retry_after: retryAfterSeconds });

export const unavailable = (detail: string, retryAfterSeconds = 1): Problem =>
  problem('unavailable', 503, detail, { retry_after: retryAfterSeconds });

export const internal = (requestId: string): Problem =>
  problem('internal', 500, `Something went wrong on our side. Quote the request id ${requestId}.`);
