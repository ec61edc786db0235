import { containsSecret, malformed, type Problem } from '../problem/problem.ts';
import type { Envelope } from './envelope.ts';
import { holdsToken } from './parse-input.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;
const ETAG = /^(?:W\/)?"(\d{1,15})"$/;

export interface Preconditions {
  /** Revision named by `If-Match` (RFC 9110 §13.1.1); undefined: none, or `*`. */
  readonly ifRevision: number | undefined;
}

/** The headers that change what a write means. */
export function preconditions({ ifMatch, idempotencyKey }: Envelope): Preconditions | Problem {
  if (idempotencyKey !== undefined && !KEY.test(idempotencyKey)) {
    return malformed('Idempotency-Key must be 1 to 255 visible ASCII characters.', 'idempotency-key');
  }
  // A key is kept for good, beside the events it made (P5).
  if (idempotencyKey !== undefined && holdsToken(idempotencyKey)) return containsSecret('idempotency-key');
  if (ifMatch === undefined || ifMatch === '*') return { ifRevision: undefined };
  const revision = ETAG.exec(ifMatch)?.[1];
  return revision === undefined
    ? malformed('If-Match must be an ETag of ours, like "3".', 'if-match')
    : { ifRevision: Number(revision) };
}
