/**
 * The writer's thread: it alone writes the log's file, so that an fsync holds up nobody's event loop.
 */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { migrate } from './schema.ts';
import type {
  AppendRequest,
  AppendResult,
  FromWriter,
  ToWriter,
  TruncateResult,
  WriterSettings,
} from './writer-messages.ts';

/** How far back a repetition at revision `any` is recognised. */
const REMEMBERED = 100;
/** Streams whose heads are known without asking: this thread alone moves them. */
const KNOWN_STREAMS = 10_000;
/** Events let go of in one transaction, so that no append waits long for it. */
const TRUNCATED_AT_ONCE = 1_000;
const SQLITE_IOERR = 10;

const port = parentPort;
if (port === null) throw new Error('the log writer runs in a worker thread');
const say = (message: FromWriter) => port.postMessage(message);

try {
  const writer = openWriter(workerData as WriterSettings);
  port.on('message', (message: ToWriter) => {
    switch (message.kind) {
      case 'flush':
        return say({ kind: 'flushed', results: writer.flush(message.appends) });
      case 'truncate':
        return say({ kind: 'truncated', result: writer.truncate(message.stream, message.before) });
      case 'close':
        writer.close();
        return port.close();
      default:
        message satisfies never;
    }
  });
  say({ kind: 'ready' });
} catch (error) {
  say({ kind: 'broken', reason: reasonOf(error) });
}

function openWriter({ file, maxBytes }: WriterSettings) {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000');
  migrate(db);
  if (maxBytes !== undefined) {
    const { page_size: pageSize } = db.prepare('PRAGMA page_size').get() as { page_size: number };
    db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`);
  }
  const findStream = db.prepare(
    `SELECT id, category,
       max(coalesce((SELECT max(revision) FROM events WHERE stream = streams.id), -1), truncated_before - 1) AS head
     FROM streams WHERE name = ?`,
  );
  const addCategory = db.prepare('INSERT INTO categories (name) VALUES (?) ON CONFLICT DO NOTHING');
  const addStream = db.prepare(
    'INSERT INTO streams (name, category) SELECT ?, id FROM categories WHERE name = ? RETURNING id, category, -1 AS head',
  );
  const addEvent = db.prepare(
    `INSERT INTO events (stream, category, revision, id, type, data, metadata, recorded_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const idsFrom = db.prepare(
    'SELECT id, revision, position FROM events WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?',
  );

  interface Stream {
    readonly id: number;
    readonly category: number;
    head: number;
  }
  const known = new Map<string, Stream>();
  type Stored = { readonly id: string; readonly revision: number; readonly position: number };

  /** What the same append answered the first time, if it was one. */
  function repeated(stream: Stream, request: AppendRequest, at: number | 'any'): AppendResult | undefined {
    const { events } = request;
    const from = at === 'any' ? Math.max(0, stream.head - REMEMBERED - events.length) : at + 1;
    const count = at === 'any' ? stream.head - from + 1 : events.length;
    const stored = idsFrom.all(stream.id, from, count) as unknown as Stored[];
    const start = at === 'any' ? stored.findIndex(({ id }) => id === events[0]?.id) : 0;
    if (start < 0 || !events.every(({ id }, index) => stored[start + index]?.id === id)) return undefined;
    const last = stored[start + events.length - 1];
    return last && { kind: 'appended', revision: last.revision, position: last.position };
  }

  function append(request: AppendRequest): AppendResult {
    const { stream: name, expected, events } = request;
    const found = known.get(name) ?? know(name, findStream.get(name) as unknown as Stream | undefined);
    const head = found?.head ?? -1;
    const at = expected === 'no-stream' ? -1 : expected;
    if (found !== undefined && at !== head && events.length > 0) {
      const earlier = repeated(found, request, at);
      if (earlier !== undefined) return earlier;
    }
    if (at !== 'any' && at !== head) return { kind: 'wrong-revision', actual: head === -1 ? 'no-stream' : head };
    if (events.length === 0) {
      const last = found && (idsFrom.get(found.id, head, 1) as unknown as Stored | undefined);
      return { kind: 'appended', revision: head, position: last?.position ?? 0 };
    }
    const stream = found ?? createStream(name);
    let revision = head;
    let position = 0;
    const now = Date.now();
    for (const { id, type, data, metadata } of events) {
      revision += 1;
      position = Number(
        addEvent.run(stream.id, stream.category, revision, id, type, data, metadata, now).lastInsertRowid,
      );
    }
    stream.head = revision;
    return { kind: 'appended', revision, position };
  }

  function createStream(name: string): Stream {
    const category = name.split('-', 1)[0] ?? name;
    addCategory.run(category);
    const added = addStream.get(name, category) as unknown as Stream;
    know(name, added);
    return added;
  }

  function know(name: string, stream: Stream | undefined): Stream | undefined {
    if (stream === undefined) return undefined;
    if (known.size === KNOWN_STREAMS) known.clear();
    known.set(name, stream);
    return stream;
  }

  /** All in one transaction with one fsync. A conflict is found before anything is written, so it undoes nothing. */
  function flush(requests: readonly AppendRequest[]): readonly AppendResult[] {
    let committing = false;
    try {
      db.exec('BEGIN IMMEDIATE');
      const results = requests.map(append);
      committing = true;
      db.exec('COMMIT');
      return results;
    } catch (error) {
      const reason = reasonOf(error);
      known.clear();
      if (db.isTransaction) db.exec('ROLLBACK');
      const unknown = committing && ((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_IOERR;
      return requests.map(() => ({ kind: unknown ? 'unknown' : 'failed', reason }));
    }
  }

  const markTruncated = db.prepare(
    `UPDATE streams SET truncated_before = max(truncated_before, min(?,
       1 + coalesce((SELECT max(revision) FROM events WHERE stream = streams.id), truncated_before - 1)))
     WHERE name = ? RETURNING id, truncated_before`,
  );
  const letGo = db.prepare(
    `DELETE FROM events WHERE position IN
       (SELECT position FROM events WHERE stream = ? AND revision < ? ORDER BY revision LIMIT ${TRUNCATED_AT_ONCE})`,
  );

  /** The mark and what it lets go of are one transaction, so that a stream's head is never lost. */
  function truncate(name: string, before: number): TruncateResult {
    try {
      db.exec('BEGIN IMMEDIATE');
      const stream = markTruncated.get(before, name) as { id: number; truncated_before: number } | undefined;
      const gone = stream === undefined ? 0 : Number(letGo.run(stream.id, stream.truncated_before).changes);
      db.exec('COMMIT');
      return { kind: gone === TRUNCATED_AT_ONCE ? 'more' : 'done' };
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      return { kind: 'failed', reason: reasonOf(error) };
    }
  }

  return { flush, truncate, close: () => db.close() };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
