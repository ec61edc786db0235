import { type messages, type PGlite, protocol, types } from '@electric-sql/pglite';

/** What a statement is answered with. */
export interface StatementResult {
  readonly rows: object[];
  /** Rows it gave or changed. */
  readonly count: number;
}

/** A statement PGlite has parsed and planned. */
interface Prepared {
  readonly name: string;
  /** Types of its parameters, by OID. */
  readonly parameters: readonly number[];
  /** Of the rows it gives; none where it gives none. */
  readonly columns: messages.RowDescriptionMessage['fields'];
}

/** More texts than the code has; beyond, they are begun anew. */
const MOST_KEPT = 1_000;
const WORTH_KEEPING = /^\s*(select|insert|update|delete|with)\b/i;
/** Begins, ends or tunes a transaction: changes no table. */
const HARMLESS = /^\s*(begin|start|commit|rollback|savepoint|release|set)\b/i;

/**
 * Runs statements on PGlite, each parsed and planned once: planning is three quarters of what a small query costs.
 * One message a statement, by PostgreSQL's extended query protocol ("Message Flow", §55.2.3), where PGlite's own
 * `query` sends five.
 */
export class PreparedStatements {
  readonly #pglite: PGlite;
  readonly #prepared = new Map<string, Prepared>();
  #names = 0;

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
  }

  /** @throws Error with PostgreSQL's message and its SQLSTATE as `code` */
  async run(sql: string, values: readonly unknown[]): Promise<StatementResult> {
    if (!WORTH_KEEPING.test(sql)) return await this.#runOnce(sql, values);
    const { name, parameters, columns } = this.#prepared.get(sql) ?? (await this.#prepare(sql));
    const { serialize } = protocol;
    const texts = values.map((value, index) => this.#text(value, parameters[index]));
    const answer = await this.#send(
      serialize.bind({ statement: name, values: texts }),
      serialize.execute({}),
      serialize.sync(),
    );
    return this.#resultOf(answer, columns);
  }

  /** A change of tables may change what a statement gives: all are prepared anew. */
  async #runOnce(sql: string, values: readonly unknown[]): Promise<StatementResult> {
    const { rows, affectedRows } = await this.#pglite.query<object>(sql, [...values]);
    if (!HARMLESS.test(sql)) await this.#forget();
    return { rows, count: affectedRows === undefined || affectedRows === 0 ? rows.length : affectedRows };
  }

  async #prepare(text: string): Promise<Prepared> {
    if (this.#prepared.size === MOST_KEPT) await this.#forget();
    const { serialize } = protocol;
    const name = `writ_${this.#names++}`;
    const answer = await this.#send(
      serialize.parse({ name, text }),
      serialize.describe({ type: 'S', name }),
      serialize.sync(),
    );
    const described = answer.find((message) => message.name === 'parameterDescription');
    const parameters = (described as messages.ParameterDescriptionMessage | undefined)?.dataTypeIDs ?? [];
    const rows = answer.find((message) => message.name === 'rowDescription');
    const columns = (rows as messages.RowDescriptionMessage | undefined)?.fields ?? [];
    const prepared = { name, parameters, columns };
    this.#prepared.set(text, prepared);
    return prepared;
  }

  async #forget(): Promise<void> {
    if (this.#prepared.size === 0) return;
    this.#prepared.clear();
    await this.#pglite.exec('deallocate all');
  }

  async #send(...parts: readonly Uint8Array[]): Promise<readonly messages.BackendMessage[]> {
    const answer = await this.#pglite.execProtocol(Buffer.concat(parts), { throwOnError: true });
    return answer.messages;
  }

  #text(value: unknown, type: number | undefined): string | null {
    if (value === null || value === undefined) return null;
    const serialize = type === undefined ? undefined : this.#pglite.serializers[type];
    return serialize === undefined ? String(value) : serialize(value);
  }

  #resultOf(answer: readonly messages.BackendMessage[], columns: Prepared['columns']): StatementResult {
    const rows: object[] = [];
    let count = 0;
    for (const message of answer) {
      if (message.name === 'dataRow') rows.push(this.#row(columns, message as messages.DataRowMessage));
      else if (message.name === 'commandComplete') count = countIn((message as messages.CommandCompleteMessage).text);
    }
    return { rows, count };
  }

  #row(columns: Prepared['columns'], { fields: texts }: messages.DataRowMessage): object {
    const row: Record<string, unknown> = {};
    for (const [index, { name, dataTypeID }] of columns.entries())
      row[name] = types.parseType(texts[index] ?? null, dataTypeID, this.#pglite.parsers);
    return row;
  }
}

/** `INSERT 0 5`, `UPDATE 3`, `SELECT 7`: the last word counts. */
const countIn = (tag: string): number => Number(tag.slice(tag.lastIndexOf(' ') + 1)) || 0;
