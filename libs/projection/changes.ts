import { type Kysely, type RawBuilder, sql } from 'kysely';
import { arrayLiteral } from './array-literal.ts';
import type { Change, Row } from './change.ts';
import { gathered, gatherSql } from './gathering.ts';
import type { ReadModel, Table } from './projection.ts';

interface Pending {
  readonly kind: 'put' | 'set' | 'gather';
  readonly row: Row;
}

/**
 * Gathers the changes of a batch, last word per row, and writes them with few statements: the rows of one statement
 * travel as one parameter for each column.
 */
export class ChangeBuffer {
  readonly #projection: ReadModel;
  readonly #schema: string;
  readonly #rows = new Map<string, Map<string, Pending>>();
  readonly #added = new Map<string, Row[]>();

  /** @param schema where the tables of the build lie */
  constructor(projection: ReadModel, schema: string) {
    this.#projection = projection;
    this.#schema = schema;
  }

  push(changes: readonly Change[]): void {
    for (const change of changes) this.#push(change);
  }

  async write(db: Kysely<unknown>): Promise<void> {
    for (const statement of this.#statements()) await statement.execute(db);
  }

  #push(change: Change): void {
    if (change.kind === 'add') {
      listIn(this.#added, change.table).push(change.row);
      return;
    }
    const table = this.#table(change.table);
    const row = change.kind === 'set' ? { ...change.key, ...change.values } : change.row;
    const key = JSON.stringify(table.primaryKey.map((column) => row[column]));
    let rows = this.#rows.get(change.table);
    if (rows === undefined) this.#rows.set(change.table, (rows = new Map()));
    const before = rows.get(key);
    if (change.kind === 'put' || before === undefined) rows.set(key, { kind: change.kind, row });
    else if (change.kind === 'gather')
      rows.set(key, { kind: change.kind, row: gathered(gathersOf(table), before.row, row) });
    else rows.set(key, { kind: before.kind, row: { ...before.row, ...row } });
  }

  *#statements(): Generator<RawBuilder<unknown>> {
    for (const [name, rows] of this.#added) yield this.#insert(name, rows, 'add');
    for (const [name, pending] of this.#rows) {
      const puts: Row[] = [];
      const gathers: Row[] = [];
      const sets = new Map<string, Row[]>();
      for (const { kind, row } of pending.values()) {
        if (kind === 'put') puts.push(row);
        else if (kind === 'gather') gathers.push(row);
        else listIn(sets, Object.keys(row).sort().join()).push(row);
      }
      if (puts.length > 0) yield this.#insert(name, puts, 'put');
      if (gathers.length > 0) yield this.#insert(name, gathers, 'gather');
      for (const rows of sets.values()) yield this.#update(name, rows);
    }
  }

  #insert(name: string, rows: readonly Row[], kind: 'put' | 'add' | 'gather'): RawBuilder<unknown> {
    const table = this.#table(name);
    const columns = Object.keys(table.columns);
    return sql`insert into ${this.#id(name)} as t (${sql.raw(list(columns))})
      select ${sql.raw(list(columns))} from ${rowsAsTable(table, columns, rows)} ${sql.raw(onConflict(table, columns, kind))}`;
  }

  #update(name: string, rows: readonly Row[]): RawBuilder<unknown> {
    const table = this.#table(name);
    const columns = Object.keys(rows[0] ?? {});
    const values = columns.filter((column) => !table.primaryKey.includes(column));
    return sql`update ${this.#id(name)} as t set ${sql.raw(values.map((c) => `"${c}" = r."${c}"`).join())}
      from ${rowsAsTable(table, columns, rows)}
      where ${sql.raw(table.primaryKey.map((c) => `t."${c}" = r."${c}"`).join(' and '))}`;
  }

  #table(name: string): Table {
    const table = this.#projection.tables[name];
    if (table === undefined) throw new Error(`${this.#projection.name} declares no table ${name}`);
    return table;
  }

  #id(name: string): RawBuilder<unknown> {
    return sql.id(this.#schema, name);
  }
}

function onConflict(table: Table, columns: readonly string[], kind: 'put' | 'add' | 'gather'): string {
  const others = columns.filter((column) => !table.primaryKey.includes(column));
  if (kind === 'add' || others.length === 0) return 'on conflict do nothing';
  const values =
    kind === 'put'
      ? others.map((column) => `"${column}" = excluded."${column}"`)
      : Object.entries(gathersOf(table)).map(([column, how]) => gatherSql(column, how));
  return `on conflict (${list(table.primaryKey)}) do update set ${values.join()}`;
}

function gathersOf({ gathers }: Table): NonNullable<Table['gathers']> {
  if (gathers === undefined) throw new Error('the table does not declare how it gathers');
  return gathers;
}

/** The rows as a table `r`, turned on their side: one array for each column, which PostgreSQL takes apart at half the cost of JSON. */
function rowsAsTable(table: Table, columns: readonly string[], rows: readonly Row[]): RawBuilder<unknown> {
  const arrays = columns.map((column) => {
    const type = table.columns[column];
    if (type === undefined) throw new Error(`no column ${column} is declared`);
    const values = rows.map((row) => row[column]);
    return sql`${arrayLiteral(type === 'jsonb' ? values.map(asJson) : values)}::text::${sql.raw(type)}[]`;
  });
  return sql`unnest(${sql.join(arrays)}) as r(${sql.raw(list(columns))})`;
}

const asJson = (value: unknown): unknown => (value === null || value === undefined ? null : JSON.stringify(value));

const list = (columns: readonly string[]): string => columns.map((column) => `"${column}"`).join();

function listIn<Value>(map: Map<string, Value[]>, key: string): Value[] {
  let values = map.get(key);
  if (values === undefined) map.set(key, (values = []));
  return values;
}
