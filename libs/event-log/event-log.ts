/**
 * The event log: the one source of truth. Few verbs, so that an adapter is small and one contract suite
 * (`test/contract/event-log.contract.ts`) can hold every adapter to the same behaviour.
 */

/** A place in the log's global order. Grows, with gaps. A safe integer: 2^53 bytes of EventStoreDB log are 9 PB. */
export type Position = number;

/** The revision a stream is expected to have at its head; `any` skips the check (and makes a retry only nearly idempotent). */
export type ExpectedRevision = number | 'no-stream' | 'any';

/** Follows EventStoreDB's conventions: `$correlationId` is the request, `$causationId` what made it. */
export interface EventMetadata {
  readonly $correlationId: string;
  readonly $causationId: string;
  /** Version of the payload's shape; older ones are upcast when read. */
  readonly schema: number;
  readonly [key: string]: unknown;
}

export interface NewEvent<Type extends string = string, Data = unknown> {
  /** A UUID. Makes a repeated append idempotent. */
  readonly id: string;
  readonly type: Type;
  /** JSON. */
  readonly data: Data;
  readonly metadata: EventMetadata;
}

export interface RecordedEvent<Type extends string = string, Data = unknown> extends NewEvent<Type, Data> {
  readonly stream: string;
  /** Place in its stream, from 0. */
  readonly revision: number;
  readonly position: Position;
  /** When the log stored it, milliseconds since 1970. What decided anything is in the data, not here. */
  readonly recordedAt: number;
}

export interface Appended {
  /** Revision of the last event of the append. */
  readonly revision: number;
  /** Position of the last event of the append. */
  readonly position: Position;
}

export interface ReadStreamOptions {
  /** First revision to read (the last one, when backwards). Default: the stream's end the direction starts from. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
  readonly limit?: number;
}

export interface ReadAllOptions {
  /** Exclusive. Default: the end of the log the direction starts from. */
  readonly after?: Position;
  readonly direction?: 'forwards' | 'backwards';
  readonly limit?: number;
  /** Only events of streams whose name starts with one of these. Default: all but the server's own (`$…`). */
  readonly streamPrefixes?: readonly string[];
}

export interface SubscribeOptions {
  /** Exclusive; null for the beginning. */
  readonly after: Position | null;
  readonly streamPrefixes?: readonly string[];
  readonly signal?: AbortSignal;
}

/** What a catch-up subscription says. A checkpoint: everything up to it was delivered or did not match. */
export type SubscriptionMessage =
  | { readonly kind: 'events'; readonly events: readonly RecordedEvent[] }
  | { readonly kind: 'checkpoint'; readonly position: Position }
  | { readonly kind: 'caught-up'; readonly position: Position | null };

/** The log to those who only follow it: projections, proofs, replays. */
export interface LogReader {
  /**
   * Whether a filtered subscription's checkpoints keep up with the live head. Where they are sparse, what must know how
   * far it is follows everything and filters itself.
   */
  readonly filteredCheckpoints: 'prompt' | 'sparse';

  /** Where this one opens what is sealed (libs/privacy): the same log as it is stored, for what hashes its events. */
  readonly stored?: LogReader;

  /** Names this very log, so that a snapshot or a checkpoint of another one is recognised. */
  id(): Promise<string>;

  /** A missing stream is an empty one. Reads what the leader has. @throws LogUnavailable, StreamDeleted */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;

  /** @throws LogUnavailable */
  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent>;

  /**
   * Catch-up subscription: everything after a position, then live, each event once, in order. Waits for a slow
   * consumer. Reconnects and resumes by itself; ends only when the signal aborts or the log is closed.
   */
  subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionMessage>;

  /** Position of the newest event; null when the log is empty. @throws LogUnavailable */
  head(): Promise<Position | null>;

  close(): Promise<void>;
}

export interface EventLog extends LogReader {
  /**
   * Stores the events together, durably, or throws and stores none. Repeating the same ids at the same expected
   * revision succeeds with the first result (unless the stream's head is that very revision).
   *
   * @throws WrongExpectedRevision, AppendTooLarge, StreamDeleted, LogUnavailable (surely not stored),
   *   OutcomeUnknown (perhaps stored: repeat the same append, alone, until certain)
   */
  append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended>;

  /**
   * Lets go of a stream's events before a revision; the stream goes on from its head. From then on `readStream` does
   * not show them. A server that takes them out of its files only when it is scavenged (EventStoreDB) shows them in
   * `readAll` until then. Doing so again changes nothing.
   * @throws LogUnavailable: perhaps not done; do so again
   */
  truncate(stream: string, before: number): Promise<void>;
}

/** Applied to every event as it is read, so that only the newest shape of a payload is known to the code. */
export type Upcast = (event: RecordedEvent) => RecordedEvent;

export class WrongExpectedRevision extends Error {
  override readonly name = 'WrongExpectedRevision';
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly actual: number | 'no-stream';

  constructor(stream: string, expected: ExpectedRevision, actual: number | 'no-stream') {
    super(`stream ${stream} is at ${actual}, not at ${expected}`);
    this.stream = stream;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The log could not be asked; nothing was stored. */
export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable';
}

/** The append may or may not have been stored, and asking again until the deadline did not tell. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** One append is at most 1 MiB (EventStoreDB's `maxAppendSize`). */
export class AppendTooLarge extends Error {
  override readonly name = 'AppendTooLarge';
}

/** The stream was tombstoned; nothing can be appended to it again. */
export class StreamDeleted extends Error {
  override readonly name = 'StreamDeleted';
}

/** Bytes of events one append may hold; the adapters refuse more, whatever the server would allow. */
export const MAX_APPEND_BYTES = 1024 * 1024;
