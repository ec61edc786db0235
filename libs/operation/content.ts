import type { Problem } from '../problem/problem.ts';

/** Answers and inputs that are bytes, not JSON. */

/** First and last byte, both included (RFC 9110 §14.1.2). */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** An answer that is sent as it is read: a file, an export. It is never held in memory whole. */
export interface Content {
  /** Media type. */
  readonly type: string;
  /** What it is saved as. */
  readonly filename?: string;
  /** Of the one style sheet within it that a browser may apply: a hash source of CSP (`sha256-…`). */
  readonly styleHash?: string;
  /** Known beforehand: then any range of it can be asked for. */
  readonly lengthBytes?: number;
  /** Opaque, without quotes: the same as long as the bytes are. */
  readonly etag?: string;
  /** The bytes, or a range of them where `lengthBytes` is given. Asked for once, when the use is on record. */
  open(range?: ByteRange): AsyncIterable<Uint8Array>;
}

/** A body that is not JSON, as it arrives; to be read once. */
export interface Upload {
  /** @throws UploadBroken: too large, or the caller went away */
  readonly stream: AsyncIterable<Uint8Array>;
}

/** The bytes of an upload did not arrive; the problem is what the caller hears. */
export class UploadBroken extends Error {
  override readonly name = 'UploadBroken';
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** JSON schema of bytes, for the declaration of what streams them. */
export const bytesSchema = { type: 'string', format: 'binary' } as const;
