import { type Kysely, sql } from 'kysely';
import type { Change } from './change.ts';
import type { AnyProjection } from './projection.ts';

/**
 * The monthly partitions of a build's tables, made when the first row of a month comes. Only where the tables are
 * partitioned (PostgreSQL); elsewhere there is nothing to do.
 */
export class Partitions {
  readonly #schema: string;
  /** Column that holds the month, by table. */
  readonly #columns: ReadonlyMap<string, string>;
  readonly #known = new Set<string>();
  #wanted = new Map<string, { readonly table: string; readonly month: number }>();

  private constructor(schema: string, columns: ReadonlyMap<string, string>) {
    this.#schema = schema;
    this.#columns = columns;
  }

  static async of(db: Kysely<unknown>, projection: AnyProjection, schema: string): Promise<Partitions> {
    const { rows } = await sql<{ table: string }>`
      select c.relname as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = ${schema} and c.relkind = 'p'`.execute(db);
    const columns = new Map<string, string>();
    for (const { table } of rows) {
      const column = projection.tables[table]?.partitionByMonth;
      if (column !== undefined) columns.set(table, column);
    }
    return new Partitions(schema, columns);
  }

  /** Remembers the months these changes write to. */
  note(changes: readonly Change[]): void {
    if (this.#columns.size === 0) return;
    for (const change of changes) {
      const column = this.#columns.get(change.table);
      if (column === undefined || change.kind === 'set') continue;
      const month = change.row[column] as number;
      const name = `${change.table}_${month}`;
      if (!this.#known.has(name)) this.#wanted.set(name, { table: change.table, month });
    }
  }

  /** Makes what is missing, in the transaction that writes the rows. */
  async make(trx: Kysely<unknown>): Promise<void> {
    for (const [name, { table, month }] of this.#wanted) {
      await sql`create table if not exists ${sql.id(this.#schema, name)} partition of ${sql.id(this.#schema, table)}
        for values from (${sql.lit(month)}) to (${sql.lit(monthAfter(month))})`.execute(trx);
    }
  }

  /** The transaction ended well: what was made is there. */
  settle(): void {
    for (const name of this.#wanted.keys()) this.#known.add(name);
    this.#wanted = new Map();
  }
}

/** `202611` for any moment of November 2026, UTC. @throws Error where the text is no time */
export function monthOf(time: string): number {
  const date = new Date(time);
  const month = date.getUTCFullYear() * 100 + date.getUTCMonth() + 1;
  if (Number.isNaN(month)) throw new Error('the time cannot be read');
  return month;
}

const monthAfter = (month: number): number => (month % 100 === 12 ? month + 89 : month + 1);
