import { credentialTooLong, type Problem, unauthorized } from '../problem/problem.ts';
import { MAX_TOKEN_LENGTH, parseToken, tokenDigest } from '../tokens/token-format.ts';

export interface Credential {
  readonly id: string;
  /** SHA-256 of the token, hex; the token itself goes no further than this file (P5). */
  readonly digest: string;
}

const BEARER = /^Bearer ([A-Za-z0-9_]+)$/i;

/** RFC 6750 §2.1, one header, one token, of our shape. Whatever else is shown is a 401 that tells nothing. */
export function authenticate(authorization: readonly string[]): Credential | Problem {
  const [value] = authorization;
  if (value === undefined || authorization.length > 1) return unauthorized();
  if (value.length > MAX_TOKEN_LENGTH + 'Bearer '.length) return credentialTooLong();
  const text = BEARER.exec(value)?.[1];
  if (text === undefined) return unauthorized();
  const token = parseToken(text);
  if (token === null) return unauthorized();
  return { id: token.id, digest: tokenDigest(text) };
}
