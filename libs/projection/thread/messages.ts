import type { Position } from '../../event-log/event-log.ts';

/** What the gate's thread and the one that runs the projections say to each other. */
export type ToProjections =
  /** The log is written up to here; whether the gate's loop works more than half of its time. */
  | { readonly kind: 'head'; readonly position: Position; readonly busy: boolean }
  | { readonly kind: 'ask'; readonly id: number; readonly projection: string; readonly question: Question }
  | { readonly kind: 'stop' };

/** A method of a running projection, with its arguments. */
export type Question =
  | { readonly method: 'status' }
  | { readonly method: 'waitFor'; readonly position: Position; readonly timeoutMs: number }
  | { readonly method: 'rebuild'; readonly anew: boolean }
  | { readonly method: 'stopRebuild' }
  | { readonly method: 'verify' }
  | { readonly method: 'retry'; readonly stream: string };

export type FromProjections =
  | { readonly kind: 'started'; readonly positions: readonly (Position | null)[] }
  | { readonly kind: 'reached'; readonly projection: string; readonly position: Position }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: Error }
  | { readonly kind: 'fault'; readonly projection: string; readonly error: Error };
