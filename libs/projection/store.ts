import { type Kysely, sql, type Transaction } from 'kysely';
import type { Position } from '../event-log/event-log.ts';
import type { ReadDb } from '../read-db/read-db.ts';
import { type Projection, schemaOf } from './projection.ts';

/** What the runner itself keeps, in schema `writ`: how far each projection is, and what it could not apply. */
interface RunnerTables {
  'writ.checkpoints': { projection: string; version: number; log_id: string; position: Position | null };
  'writ.parked': {
    projection: string;
    version: number;
    stream: string;
    revision: number;
    position: Position;
    reason: string;
  };
}

/** A stream that stands still in a projection, from the event on that could not be applied. */
export interface Parked {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly reason: string;
}

/** The checkpoint was not where this runner left it: another one leads. */
export class LostLead extends Error {
  override readonly name = 'LostLead';
}

const own = (db: Kysely<unknown>): Kysely<RunnerTables> => db as Kysely<RunnerTables>;

/** Serialises preparation among processes that start at once; any constant will do. */
const PREPARATION_LOCK = 0x77_72_69_74;

/**
 * Makes the projection's tables where they are missing. What was built from another log, or from more of this one
 * than is there (a log put back from a back-up), is thrown away.
 */
export async function prepare(readDb: ReadDb, projection: Projection, logId: string, head: Position | null) {
  await readDb.db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${PREPARATION_LOCK}::bigint)`.execute(trx);
    await createOwnTables(trx);
    const checkpoint = await own(trx)
      .selectFrom('writ.checkpoints')
      .select(['log_id', 'position'])
      .where('projection', '=', projection.name)
      .where('version', '=', projection.version)
      .forUpdate()
      .executeTakeFirst();
    if (checkpoint !== undefined) {
      const ahead = checkpoint.position !== null && (head === null || checkpoint.position > head);
      if (checkpoint.log_id === logId && !ahead) return;
      await discard(trx, projection);
    }
    await createTables(trx, projection);
    await own(trx)
      .insertInto('writ.checkpoints')
      .values({ projection: projection.name, version: projection.version, log_id: logId, position: null })
      .execute();
  });
}

/** Drops the tables, checkpoint and parked streams of one version of a projection. */
async function discard(trx: Transaction<unknown>, { name, version }: Projection): Promise<void> {
  await sql`drop schema if exists ${sql.id(schemaOf({ name, version }))} cascade`.execute(trx);
  for (const table of ['writ.checkpoints', 'writ.parked'] as const) {
    await own(trx).deleteFrom(table).where('projection', '=', name).where('version', '=', version).execute();
  }
}

async function createOwnTables(trx: Transaction<unknown>): Promise<void> {
  await sql`create schema if not exists writ`.execute(trx);
  await sql`create table if not exists writ.checkpoints (projection text, version integer, log_id text not null,
    position bigint, primary key (projection, version))`.execute(trx);
  await sql`create table if not exists writ.parked (projection text, version integer, stream text,
    revision integer not null, position bigint not null, reason text not null,
    primary key (projection, version, stream))`.execute(trx);
}

async function createTables(trx: Transaction<unknown>, projection: Projection): Promise<void> {
  const schema = schemaOf(projection);
  await sql`create schema if not exists ${sql.id(schema)}`.execute(trx);
  for (const [name, table] of Object.entries(projection.tables)) {
    const columns = Object.entries(table.columns).map(([column, type]) => `"${column}" ${type}`);
    const key = table.primaryKey.map((column) => `"${column}"`).join();
    const id = sql.id(schema, name);
    await sql`create table ${id} (${sql.raw(columns.join())}, primary key (${sql.raw(key)}))`.execute(trx);
    for (const index of table.indexes ?? []) await sql`create index on ${id} ${sql.raw(index)}`.execute(trx);
    for (const index of table.uniqueIndexes ?? [])
      await sql`create unique index on ${id} ${sql.raw(index)}`.execute(trx);
  }
}

export async function readCheckpoint(db: Kysely<unknown>, { name, version }: Projection): Promise<Position | null> {
  const row = await own(db)
    .selectFrom('writ.checkpoints')
    .select('position')
    .where('projection', '=', name)
    .where('version', '=', version)
    .executeTakeFirst();
  return row?.position ?? null;
}

/** Compare-and-set, so that a former leader that wakes up late writes nothing. @throws LostLead */
export async function moveCheckpoint(
  db: Kysely<unknown>,
  { name, version }: Projection,
  from: Position | null,
  to: Position,
): Promise<void> {
  const { numUpdatedRows } = await own(db)
    .updateTable('writ.checkpoints')
    .set({ position: to })
    .where('projection', '=', name)
    .where('version', '=', version)
    .where('position', 'is not distinct from', from)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new LostLead(`${name} was moved on by another runner`);
}

export async function park(db: Kysely<unknown>, { name, version }: Projection, parked: Parked): Promise<void> {
  await own(db)
    .insertInto('writ.parked')
    .values({ projection: name, version, ...parked })
    .execute();
}

export async function readParked(
  db: Kysely<unknown>,
  { name, version }: Pick<Projection, 'name' | 'version'>,
): Promise<Parked[]> {
  return await own(db)
    .selectFrom('writ.parked')
    .select(['stream', 'revision', 'position', 'reason'])
    .where('projection', '=', name)
    .where('version', '=', version)
    .orderBy('position')
    .execute();
}
