import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Appended,
  AppendTooLarge,
  type EventLog,
  type ExpectedRevision,
  MAX_APPEND_BYTES,
  type NewEvent,
  type Upcast,
} from '../event-log.ts';
import { lockFolder } from './folder-lock.ts';
import { SqliteLogReader } from './sqlite-log-reader.ts';
import { SqliteWriter } from './sqlite-writer.ts';
import type { EncodedEvent } from './writer-messages.ts';

export interface SqliteEventLogOptions {
  /** Made if it is missing; holds `log.db` and `lock.db`. */
  readonly directory: string;
  readonly upcast?: Upcast;
  /** The file does not grow beyond; appends then fail as they do on a full disk. */
  readonly maxBytes?: number;
}

/**
 * The log in one SQLite file of a folder, for one process.
 *
 * @throws LogInUse when the folder is open already; LogUnavailable when the file cannot be opened
 */
export async function openSqliteEventLog(options: SqliteEventLogOptions): Promise<EventLog> {
  const { directory, upcast = unchanged, maxBytes } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(directory);
  const file = fileIn(directory);
  try {
    const writer = await SqliteWriter.start(maxBytes === undefined ? { file } : { file, maxBytes });
    return await openOver(writer, file, upcast, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

/**
 * The log of a folder that another thread of this process has open and writes: it is read up to where `committed` says.
 * @throws LogUnavailable when the file cannot be opened
 */
export const followSqliteEventLog = ({
  directory,
  upcast = unchanged,
}: Pick<SqliteEventLogOptions, 'directory' | 'upcast'>): SqliteLogReader =>
  new SqliteLogReader(fileIn(directory), upcast);

const unchanged: Upcast = (event) => event;
const fileIn = (directory: string): string => join(directory, 'log.db');

async function openOver(writer: SqliteWriter, file: string, upcast: Upcast, unlock: () => void): Promise<EventLog> {
  try {
    return new SqliteEventLog(writer, file, upcast, unlock);
  } catch (error) {
    await writer.close();
    throw error;
  }
}

class SqliteEventLog extends SqliteLogReader implements EventLog {
  #ended: Promise<void> | null = null;
  readonly #writer: SqliteWriter;
  readonly #unlock: () => void;

  constructor(writer: SqliteWriter, file: string, upcast: Upcast, unlock: () => void) {
    super(file, upcast);
    this.#writer = writer;
    this.#unlock = unlock;
    // This process alone writes the file, so its head is known from the appends.
    writer.onCommit((streams, position) => this.committed(streams, position));
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended> {
    return this.#writer.append({ stream, expected, events: encode(stream, events) });
  }

  truncate(stream: string, before: number): Promise<void> {
    return this.#writer.truncate(stream, before);
  }

  override close(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    try {
      await this.#writer.close();
    } finally {
      await super.close();
      this.#unlock();
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
