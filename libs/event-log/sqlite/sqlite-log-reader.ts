import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type LogReader,
  LogUnavailable,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type RecordedEvent,
  type SubscribeOptions,
  type SubscriptionMessage,
  type Upcast,
} from '../event-log.ts';
import { Commits } from './commits.ts';
import { SqliteReader } from './sqlite-reader.ts';
import { Tail } from './tail.ts';

/** Events read at a time; between chunks the event loop turns. */
const CHUNK = 500;

/** Reads the log's file, and follows it as far as it is told that it was written. */
export class SqliteLogReader implements LogReader {
  readonly filteredCheckpoints = 'prompt';
  readonly #reader: SqliteReader;
  readonly #commits: Commits;
  readonly #tail = new Tail();
  #closed = false;

  /** @throws LogUnavailable when the file cannot be opened */
  constructor(file: string, upcast: Upcast) {
    try {
      this.#reader = new SqliteReader(file, upcast);
    } catch (error) {
      throw new LogUnavailable('The log cannot be opened for reading.', { cause: error });
    }
    this.#commits = new Commits(this.#reader.head());
  }

  /**
   * Something was stored.
   * @param streams that were written to; null: perhaps all
   * @param position of the newest event; null: the file knows
   */
  committed(streams: readonly string[] | null, position: Position | null): void {
    this.#commits.committed(streams, position ?? this.#reader.head());
  }

  async id(): Promise<string> {
    return this.#read((reader) => reader.id());
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    const { from, direction = 'forwards', limit = Infinity } = options;
    const backwards = direction === 'backwards';
    let first = backwards ? 0 : (from ?? 0);
    let last = backwards ? (from ?? Number.MAX_SAFE_INTEGER) : Number.MAX_SAFE_INTEGER;
    for (let left = limit; left > 0;) {
      const asked = Math.min(CHUNK, left);
      const events = this.#read((reader) => reader.stream(stream, first, last, backwards, asked));
      yield* events;
      const end = events.at(-1);
      if (end === undefined || events.length < asked) return;
      if (backwards) last = end.revision - 1;
      else first = end.revision + 1;
      left -= events.length;
      await nextTurn();
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const { after, direction = 'forwards', limit = Infinity, streamPrefixes } = options;
    const backwards = direction === 'backwards';
    // Fixed at the start, so that a busy writer does not lead the reader on for ever.
    const end = ((await this.head()) ?? 0) + 1;
    let above = backwards ? 0 : (after ?? 0);
    let below = backwards ? Math.min(after ?? end, end) : end;
    for (let left = limit; left > 0;) {
      const asked = Math.min(CHUNK, left);
      const range = { above, below, backwards, limit: asked };
      const events = this.#read((reader) => reader.range(range, streamPrefixes));
      yield* events;
      const last = events.at(-1);
      if (last === undefined || events.length < asked) return;
      if (backwards) below = last.position;
      else above = last.position;
      left -= events.length;
      await nextTurn();
    }
  }

  async *subscribe({ after, streamPrefixes, signal }: SubscribeOptions): AsyncIterable<SubscriptionMessage> {
    let position = after ?? 0;
    let caughtUp = false;
    const watch = this.#commits.watch(streamPrefixes);
    signal?.addEventListener('abort', watch.wake);
    try {
      while (!this.#closed && signal?.aborted !== true) {
        const { head } = this.#commits;
        if (position < head) {
          const events = watch.concerned ? this.#chunk(position, head, streamPrefixes) : [];
          const last = events.length < CHUNK ? undefined : events.at(-1);
          position = last?.position ?? head;
          watch.concerned = last !== undefined;
          if (events.length > 0) yield { kind: 'events', events };
          yield { kind: 'checkpoint', position };
          await nextTurn();
        } else if (!caughtUp) {
          caughtUp = true;
          yield { kind: 'caught-up', position: position === 0 ? null : position };
        } else {
          await watch.next();
        }
      }
    } finally {
      signal?.removeEventListener('abort', watch.wake);
      watch.close();
    }
  }

  async head(): Promise<Position | null> {
    if (this.#closed) throw new LogUnavailable('the log is closed');
    return this.#commits.head || null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#commits.end();
    this.#reader.close();
  }

  /** The next events of a subscription; fewer than CHUNK: there are no more up to the head. */
  #chunk(above: Position, head: Position, streamPrefixes: readonly string[] | undefined): readonly RecordedEvent[] {
    const range = { below: head + 1, backwards: false };
    if (streamPrefixes !== undefined)
      return this.#read((reader) => reader.range({ ...range, above, limit: CHUNK }, streamPrefixes));
    const kept = this.#tail.after(above, CHUNK) ?? [];
    if (kept.length === CHUNK) return kept;
    const from = kept.at(-1)?.position ?? above;
    const read = this.#read((reader) => reader.range({ ...range, above: from, limit: CHUNK - kept.length }, undefined));
    this.#tail.keep(from, read);
    return [...kept, ...read];
  }

  #read<T>(read: (reader: SqliteReader) => T): T {
    if (this.#closed) throw new LogUnavailable('the log is closed');
    try {
      return read(this.#reader);
    } catch (error) {
      if (error instanceof Error && 'errcode' in error) throw new LogUnavailable(error.message, { cause: error });
      throw error;
    }
  }
}
