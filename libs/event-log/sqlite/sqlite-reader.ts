import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { EventMetadata, RecordedEvent, Upcast } from '../event-log.ts';

interface Row {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  readonly recorded_at: number;
}

export interface PositionRange {
  /** Both exclusive. */
  readonly above: number;
  readonly below: number;
  readonly backwards: boolean;
  readonly limit: number;
}

const COLUMNS = 's.name AS stream, e.revision, e.position, e.id, e.type, e.data, e.metadata, e.recorded_at';

/** Categories read side by side by their index; with more of them a scan is as good. */
const MAX_MERGED = 16;

/** Reads chunks of the log's file through a connection of its own, which cannot write. */
export class SqliteReader {
  readonly #db: DatabaseSync;
  readonly #upcast: Upcast;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string, upcast: Upcast) {
    this.#db = new DatabaseSync(file, { readOnly: true });
    this.#upcast = upcast;
  }

  id(): string {
    return (this.#prepare('SELECT id FROM log').get() as { id: string }).id;
  }

  /** Position of the newest event; 0 when there is none. */
  head(): number {
    const { head } = this.#prepare('SELECT max(position) AS head FROM events').get() as { head: number | null };
    return head ?? 0;
  }

  /** Names of all streams. */
  streams(): readonly string[] {
    return (this.#prepare('SELECT name FROM streams').all() as { name: string }[]).map(({ name }) => name);
  }

  /** How many events there are, and the positions of the first and the last; 0 where there is none. */
  extent(): { readonly events: number; readonly first: number; readonly last: number } {
    const sql = `SELECT count(*) AS events, coalesce(min(position), 0) AS first, coalesce(max(position), 0) AS last
      FROM events`;
    return this.#prepare(sql).get() as { events: number; first: number; last: number };
  }

  /** Revisions between `first` and `last`, both included. */
  stream(name: string, first: number, last: number, backwards: boolean, limit: number): RecordedEvent[] {
    const sql = `SELECT ${COLUMNS} FROM streams s JOIN events e ON e.stream = s.id
      WHERE s.name = ? AND e.revision BETWEEN ? AND ? ORDER BY e.revision ${backwards ? 'DESC' : 'ASC'} LIMIT ?`;
    return this.#events(sql, [name, first, last, limit]);
  }

  /** Events of streams whose name starts with one of the prefixes; without prefixes, of all but `$…`. */
  range(range: PositionRange, prefixes: readonly string[] | undefined): RecordedEvent[] {
    const order = `ORDER BY position ${range.backwards ? 'DESC' : 'ASC'} LIMIT ?`;
    const between = [range.above, range.below];
    const from = `SELECT ${COLUMNS} FROM events e CROSS JOIN streams s ON s.id = e.stream`;
    if (prefixes === undefined || prefixes.includes('')) {
      const own = prefixes === undefined ? "AND substr(s.name, 1, 1) <> '$'" : '';
      const sql = `${from} WHERE e.position > ? AND e.position < ? ${own} ${order}`;
      return this.#events(sql, [...between, range.limit]);
    }
    if (prefixes.length === 0) return [];
    const named = `(${prefixes.map(() => 'substr(s.name, 1, length(?)) = ?').join(' OR ')})`;
    const names = prefixes.flatMap((prefix) => [prefix, prefix]);
    const categories = this.#categories(prefixes);
    if (categories.length === 0) return [];
    if (categories.length > MAX_MERGED) {
      const sql = `${from} WHERE e.position > ? AND e.position < ? AND ${named} ${order}`;
      return this.#events(sql, [...between, ...names, range.limit]);
    }
    // Each arm walks its index in order; SQLite merges them without sorting.
    const arm = `${from} WHERE e.category = ? AND e.position > ? AND e.position < ? AND ${named}`;
    const sql = `${categories.map(() => arm).join(' UNION ALL ')} ${order}`;
    return this.#events(sql, [...categories.flatMap((id) => [id, ...between, ...names]), range.limit]);
  }

  close(): void {
    this.#db.close();
  }

  #categories(prefixes: readonly string[]): number[] {
    const found = this.#prepare(
      `SELECT id FROM categories c WHERE EXISTS (SELECT 1 FROM json_each(?) p
         WHERE substr(c.name, 1, length(p.value)) = p.value OR substr(p.value, 1, length(c.name) + 1) = c.name || '-')
       LIMIT ?`,
    ).all(JSON.stringify(prefixes), MAX_MERGED + 1) as unknown as { id: number }[];
    return found.map(({ id }) => id);
  }

  #events(sql: string, values: readonly SQLInputValue[]): RecordedEvent[] {
    const rows = this.#prepare(sql).all(...values) as unknown as Row[];
    return rows.map((row) =>
      this.#upcast({
        stream: row.stream,
        revision: row.revision,
        position: row.position,
        id: row.id,
        type: row.type,
        recordedAt: row.recorded_at,
        data: JSON.parse(row.data) as unknown,
        metadata: JSON.parse(row.metadata) as EventMetadata,
      }),
    );
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}
