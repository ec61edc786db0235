import { mkdir, rm } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { PGlite } from '@electric-sql/pglite';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { PreparedStatements } from './prepared-statements.ts';

/**
 * PGlite on this thread, in the shape of a `pg` pool with one client, which is all Kysely's PostgreSQL dialect asks
 * for. PGlite is one session, so whoever holds the client (a transaction) holds the database. It computes
 * synchronously: never on the thread the gate runs on.
 */
export class PGliteSession implements PostgresPool {
  readonly #pglite: PGlite;
  readonly #statements: PreparedStatements;
  #turn = Promise.resolve();

  private constructor(pglite: PGlite) {
    this.#pglite = pglite;
    this.#statements = new PreparedStatements(pglite);
  }

  /**
   * A folder that cannot be opened is thrown away: everything in it comes from the log and is built again (P6).
   * @throws Error when PGlite does not start in an empty folder
   */
  static async open(directory: string): Promise<PGliteSession> {
    try {
      return new PGliteSession(await start(directory));
    } catch {
      await rm(directory, { recursive: true, force: true });
      return new PGliteSession(await start(directory));
    }
  }

  /** Waits until whoever has the client releases it. */
  async connect(): Promise<PostgresPoolClient> {
    const before = this.#turn;
    let release = (): void => undefined;
    this.#turn = new Promise((resolve) => (release = resolve));
    await before;
    const query = async (sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<object>> => {
      const { rows, count } = await this.#statements.run(sql, parameters);
      return { command: commandOf(sql), rowCount: count, rows };
    };
    // Kysely's cursors, the other overload, are never asked for.
    return { query: query as PostgresPoolClient['query'], release };
  }

  async end(): Promise<void> {
    await this.#turn;
    await this.#pglite.close();
  }
}

async function start(directory: string): Promise<PGlite> {
  // V8 can end the process while it collects replaced WebAssembly code (nodejs/node#64500; decision 0017).
  setFlagsFromString('--no-wasm-code-gc');
  await mkdir(directory, { recursive: true });
  const pglite = await PGlite.create(directory);
  // Data and checkpoint are lost together, if at all, and come again from the log.
  await pglite.exec('set synchronous_commit = off');
  return pglite;
}

type Command = PostgresQueryResult<object>['command'];

/** Kysely counts rows for these only. */
function commandOf(sql: string): Command {
  const word = /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase();
  return word === 'INSERT' || word === 'UPDATE' || word === 'DELETE' || word === 'MERGE' ? word : 'SELECT';
}
