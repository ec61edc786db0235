import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Position, RecordedEvent } from '../event-log/event-log.ts';
import { migrate } from '../event-log/sqlite/schema.ts';
import { SqliteReader } from '../event-log/sqlite/sqlite-reader.ts';

/** A whole stream in an archive. */
export interface ArchivedStream {
  readonly name: string;
  readonly last_revision: number;
}

export interface ArchiveContents {
  readonly streams: readonly ArchivedStream[];
  readonly events: number;
  /** Positions of the first and the last event; others of the log lie between. */
  readonly first: Position;
  readonly last: Position;
}

/** The file does not hold what the log held. */
export class ArchiveDiffers extends Error {
  override readonly name = 'ArchiveDiffers';
}

/** Events in one transaction. */
const WRITTEN_AT_ONCE = 500;

/**
 * Whole streams of a log, in the tables of a log's file: what reads the log's file reads it too, and so does
 * `sqlite3`. It is written once and never changed.
 */
export class ArchiveFile {
  readonly first: Position;
  readonly last: Position;
  readonly events: number;
  readonly reader: SqliteReader;
  readonly #streams: ReadonlySet<string>;

  /** @throws Error when it cannot be read, or is of another log */
  constructor(path: string, logId: string) {
    this.reader = new SqliteReader(path, (event) => event);
    try {
      if (this.reader.id() !== logId) throw new Error(`${path} is an archive of another log`);
      this.#streams = new Set(this.reader.streams());
      ({ first: this.first, last: this.last, events: this.events } = this.reader.extent());
    } catch (error) {
      this.reader.close();
      throw error;
    }
  }

  has(stream: string): boolean {
    return this.#streams.has(stream);
  }

  close(): void {
    this.reader.close();
  }
}

/**
 * Writes streams into a new file, durably, and reads it again: what it holds is what the log held.
 * @param events of each stream, from its beginning
 * @param giveWay waited for between transactions; throws to break off
 * @throws ArchiveDiffers; what the file system throws
 */
export async function writeArchive(
  path: string,
  logId: string,
  streams: readonly string[],
  events: (stream: string) => AsyncIterable<RecordedEvent>,
  giveWay: () => Promise<void>,
): Promise<ArchiveContents> {
  // SQLite would let everybody read it.
  closeSync(openSync(path, 'wx', 0o600));
  const db = new DatabaseSync(path);
  const given = createHash('sha256');
  const contents: ArchivedStream[] = [];
  try {
    // No journal beside it: a file that was not finished is thrown away.
    db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL');
    migrate(db, logId);
    const write = writerInto(db);
    for (const name of streams) {
      let lastRevision = -1;
      for await (const chunk of inChunks(events(name))) {
        write(name, chunk);
        for (const event of chunk) digest(given, event);
        lastRevision = chunk.at(-1)!.revision;
        await giveWay();
      }
      contents.push({ name, last_revision: lastRevision });
    }
  } finally {
    db.close();
  }
  return await readAgain(path, logId, contents, given.digest('hex'), giveWay);
}

function writerInto(db: DatabaseSync) {
  const addCategory = db.prepare('INSERT INTO categories (name) VALUES (?) ON CONFLICT DO NOTHING');
  const addStream = db.prepare(
    'INSERT INTO streams (name, category) SELECT ?, id FROM categories WHERE name = ? ON CONFLICT DO NOTHING',
  );
  const findStream = db.prepare('SELECT id, category FROM streams WHERE name = ?');
  const addEvent = db.prepare(
    `INSERT INTO events (position, stream, category, revision, id, type, data, metadata, recorded_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return (name: string, events: readonly RecordedEvent[]): void => {
    const category = name.split('-', 1)[0] ?? name;
    db.exec('BEGIN');
    addCategory.run(category);
    addStream.run(name, category);
    const stream = findStream.get(name) as { id: number; category: number };
    for (const { position, revision, id, type, data, metadata, recordedAt } of events) {
      const [told, about] = [JSON.stringify(data), JSON.stringify(metadata)];
      addEvent.run(position, stream.id, stream.category, revision, id, type, told, about, recordedAt);
    }
    db.exec('COMMIT');
  };
}

async function readAgain(
  path: string,
  logId: string,
  streams: readonly ArchivedStream[],
  sha256: string,
  giveWay: () => Promise<void>,
): Promise<ArchiveContents> {
  const archive = new ArchiveFile(path, logId);
  try {
    const found = createHash('sha256');
    for (const { name, last_revision: last } of streams) {
      for (let from = 0; from <= last; from += WRITTEN_AT_ONCE) {
        const chunk = archive.reader.stream(name, from, last, false, WRITTEN_AT_ONCE);
        for (const event of chunk) digest(found, event);
        await giveWay();
      }
    }
    if (found.digest('hex') !== sha256) throw new ArchiveDiffers(`${path} does not hold what the log holds`);
    return { streams, events: archive.events, first: archive.first, last: archive.last };
  } finally {
    archive.close();
  }
}

/** Every field, so that nothing of an event can get lost unseen. */
function digest(hash: Hash, { stream, revision, position, id, type, data, metadata, recordedAt }: RecordedEvent): void {
  hash.update(JSON.stringify([stream, revision, position, id, type, recordedAt, data, metadata]));
}

async function* inChunks(events: AsyncIterable<RecordedEvent>): AsyncGenerator<readonly RecordedEvent[]> {
  let chunk: RecordedEvent[] = [];
  for await (const event of events) {
    chunk.push(event);
    if (chunk.length < WRITTEN_AT_ONCE) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
