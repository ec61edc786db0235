import type { ExpectedRevision } from '../event-log.ts';

/** What the thread of callers and the writer's thread say to each other. Payloads are JSON already. */
export interface AppendRequest {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly EncodedEvent[];
}

export interface EncodedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

export type AppendResult =
  | { readonly kind: 'appended'; readonly revision: number; readonly position: number }
  | { readonly kind: 'wrong-revision'; readonly actual: number | 'no-stream' }
  /** Surely not stored. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The commit itself failed while writing: perhaps stored. */
  | { readonly kind: 'unknown'; readonly reason: string };

export type TruncateResult =
  { readonly kind: 'done' } | { readonly kind: 'more' } | { readonly kind: 'failed'; readonly reason: string };

export interface WriterSettings {
  readonly file: string;
  /** The file does not grow beyond; appends then fail as they do on a full disk. */
  readonly maxBytes?: number;
}

export type ToWriter =
  | { readonly kind: 'flush'; readonly appends: readonly AppendRequest[] }
  /** A bounded part of it; to be asked again until nothing is left. */
  | { readonly kind: 'truncate'; readonly stream: string; readonly before: number }
  | { readonly kind: 'close' };

export type FromWriter =
  | { readonly kind: 'ready' }
  | { readonly kind: 'broken'; readonly reason: string }
  | { readonly kind: 'flushed'; readonly results: readonly AppendResult[] }
  | { readonly kind: 'truncated'; readonly result: TruncateResult };
