import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Appended,
  AppendTooLarge,
  type EventLog,
  type ExpectedRevision,
  LogUnavailable,
  MAX_APPEND_BYTES,
  type NewEvent,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type RecordedEvent,
  type SubscribeOptions,
  type SubscriptionMessage,
  type Upcast,
} from '../event-log.ts';
import { Commits } from './commits.ts';
import { lockFolder } from './folder-lock.ts';
import { SqliteReader } from './sqlite-reader.ts';
import { SqliteWriter } from './sqlite-writer.ts';
import { Tail } from './tail.ts';
import type { EncodedEvent } from './writer-messages.ts';

export interface SqliteEventLogOptions {
  /** Made if it is missing; holds `log.db` and `lock.db`. */
  readonly directory: string;
  readonly upcast?: Upcast;
  /** The file does not grow beyond; appends then fail as they do on a full disk. */
  readonly maxBytes?: number;
}

/** Events read at a time; between chunks the event loop turns. */
const CHUNK = 500;

/**
 * The log in one SQLite file of a folder, for one process.
 *
 * @throws LogInUse when the folder is open already; LogUnavailable when the file cannot be opened
 */
export async function openSqliteEventLog(options: SqliteEventLogOptions): Promise<EventLog> {
  const { directory, upcast = (event) => event, maxBytes } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(directory);
  const file = join(directory, 'log.db');
  try {
    const writer = await SqliteWriter.start(maxBytes === undefined ? { file } : { file, maxBytes });
    return new SqliteEventLog(writer, await openReader(file, upcast, writer), unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function openReader(file: string, upcast: Upcast, writer: SqliteWriter): Promise<SqliteReader> {
  try {
    return new SqliteReader(file, upcast);
  } catch (error) {
    await writer.close();
    throw new LogUnavailable('The log cannot be opened for reading.', { cause: error });
  }
}

class SqliteEventLog implements EventLog {
  readonly filteredCheckpoints = 'prompt';
  #closed: Promise<void> | null = null;
  readonly #writer: SqliteWriter;
  readonly #reader: SqliteReader;
  readonly #commits: Commits;
  readonly #tail = new Tail();
  readonly #unlock: () => void;

  constructor(writer: SqliteWriter, reader: SqliteReader, unlock: () => void) {
    this.#writer = writer;
    this.#reader = reader;
    this.#unlock = unlock;
    // This process alone writes the file, so its head is known from the appends.
    this.#commits = new Commits(reader.head());
    // Where it is not known what was stored, the file knows.
    writer.onCommit((streams, position) => this.#commits.committed(streams, position ?? this.#reader.head()));
  }

  async id(): Promise<string> {
    return this.#read((reader) => reader.id());
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended> {
    return this.#writer.append({ stream, expected, events: encode(stream, events) });
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
      while (this.#closed === null && signal?.aborted !== true) {
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
    if (this.#closed !== null) throw new LogUnavailable('the log is closed');
    return this.#commits.head || null;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    try {
      await this.#writer.close();
    } finally {
      this.#commits.end();
      this.#reader.close();
      this.#unlock();
    }
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
    if (this.#closed !== null) throw new LogUnavailable('the log is closed');
    try {
      return read(this.#reader);
    } catch (error) {
      if (error instanceof Error && 'errcode' in error) throw new LogUnavailable(error.message, { cause: error });
      throw error;
    }
  }
}

/** On the caller's thread, so that the writer's does nothing but write. */
function encode(stream: string, events: readonly NewEvent[]): readonly EncodedEvent[] {
  let bytes = 0;
  const encoded = events.map(({ id, type, data, metadata }): EncodedEvent => {
    const event = { id, type, data: JSON.stringify(data) ?? 'null', metadata: JSON.stringify(metadata) };
    bytes += Buffer.byteLength(event.data) + Buffer.byteLength(event.metadata) + id.length + type.length;
    return event;
  });
  if (bytes > MAX_APPEND_BYTES) throw new AppendTooLarge(`${bytes} bytes in one append to ${stream}`);
  return encoded;
}
