import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import pg from 'pg';
import type { PGlitePool } from './pglite-port.ts';
import type { PGliteSession } from './pglite-session.ts';
import { startPGliteThread } from './pglite-thread.ts';

/** Name under which Nest hands it out. */
export const READ_DB = Symbol('ReadDb');

/** Where read models are kept: PostgreSQL, or PGlite in a worker thread. Both speak one dialect. */
export interface ReadDb {
  readonly engine: 'postgresql' | 'pglite';
  /** Narrowed to a projection's own tables by `tablesOf` (libs/projection/projection.ts). */
  readonly db: Kysely<unknown>;
  close(): Promise<void>;
}

export interface ReadDbOptions {
  /** `postgres://…`; wins over the folder. */
  readonly databaseUrl?: string | undefined;
  /** PGlite's folder (`DATA_DIR/read`), for one process; created when missing. */
  readonly directory?: string | undefined;
}

/**
 * Opens the store of the read models. A PostgreSQL server is asked only at the first query.
 * @throws Error when neither a URL nor a folder is given, or PGlite does not start
 */
export async function openReadDb({ databaseUrl, directory }: ReadDbOptions): Promise<ReadDb> {
  if (databaseUrl !== undefined) return readDb('postgresql', postgresPool(databaseUrl));
  if (directory === undefined) throw new Error('A read database needs DATABASE_URL or a folder');
  return readDb('pglite', await startPGliteThread(directory));
}

/** PGlite, on this thread or behind a port to the one it runs on. */
export const overPGlite = (pool: PGliteSession | PGlitePool): ReadDb => readDb('pglite', pool);

function readDb(engine: ReadDb['engine'], pool: PostgresPool): ReadDb {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  return { engine, db, close: () => db.destroy() };
}

const INT8 = 20;
const MOST_CONNECTIONS = 20;

function postgresPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    // A leader keeps a connection for each projection and rebuild; queries need some of their own.
    max: MOST_CONNECTIONS,
    // Positions are safe integers (libs/event-log): numbers here as everywhere, and as PGlite gives them.
    types: {
      getTypeParser: ((oid: number, format?: 'text') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  // A connection lost while nobody queries on it is noticed at the next query; unheard, it would end the process.
  const ignore = (): void => undefined;
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  return pool;
}
