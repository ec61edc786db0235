import { NotSent } from './client.ts';

export type AppendFailure =
  | { readonly kind: 'conflict'; readonly actual: number | 'no-stream' }
  | { readonly kind: 'deleted' | 'too-large' | 'refused' | 'not-stored' | 'unknown' };

/** Answers of a server that did not take an append up; the client wraps them as unknown errors. */
const NOT_TAKEN = /Server Is Not Ready|Server Is (Too )?Busy|No leader info available/;

/**
 * What a failed append says. An error with a gRPC code is the connection's, and the client rejects with it all appends
 * of the process that were waiting, whatever became of each; not-leader and access-denied are no exception. One
 * without is the server's answer to this very append.
 */
export function failureOf(error: unknown): AppendFailure {
  if (error instanceof NotSent) return { kind: 'not-stored' };
  const { type, code, message, actualVersion } = Object(error) as {
    readonly type?: string;
    readonly code?: number;
    readonly message?: string;
    readonly actualVersion?: unknown;
  };
  switch (type) {
    case 'wrong-expected-version':
      return { kind: 'conflict', actual: typeof actualVersion === 'bigint' ? Number(actualVersion) : 'no-stream' };
    case 'stream-deleted':
      return { kind: 'deleted' };
    case 'maximum-append-size-exceeded':
      return { kind: 'too-large' };
    default:
      if (code !== undefined) return { kind: 'unknown' };
      if (type === 'access-denied' || type === 'invalid-argument') return { kind: 'refused' };
      return { kind: type === 'unknown' && NOT_TAKEN.test(message ?? '') ? 'not-stored' : 'unknown' };
  }
}
