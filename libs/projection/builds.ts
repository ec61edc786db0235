import { type Kysely, sql, type Transaction } from 'kysely';
import type { LogReader, Position } from '../event-log/event-log.ts';
import type { ReadDb } from '../read-db/read-db.ts';
import { type Build, type Comparison, LostLead, type Parked, type ParkedStatus, schemaOfBuild } from './build.ts';
import type { ReadModel } from './projection.ts';
import { createTables, dropSchema } from './tables.ts';
import { forgetViews, pointViews } from './views.ts';

/** What the runner itself keeps, in schema `writ`: the builds of every projection, and what each could not apply. */
interface RunnerTables {
  'writ.builds': Mutable<Build>;
  'writ.parked': Mutable<Parked> & {
    build: number;
    /** Somebody asked to try again. */
    retry: boolean;
  };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const own = (db: Kysely<unknown>): Kysely<RunnerTables> => db as Kysely<RunnerTables>;

/** Serialises whoever makes, switches or drops builds, in all processes; any constant will do. */
const BUILDS_LOCK = 0x77_72_69_74;
/** A switch waits no longer for queries under way: those behind it wait as long. */
const LOCK_TIMEOUT_MS = 2_000;

/** Whoever fills a build holds its tables in another order than who drops it: PostgreSQL then ends one of the two. */
const DEADLOCK_DETECTED = '40P01';
const ATTEMPTS = 3;

/** One transaction that makes, switches or drops builds, alone among all processes. Ended for a deadlock, it is tried again. */
export async function changingBuilds<Result>(
  db: Kysely<unknown>,
  change: (trx: Transaction<unknown>) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(async (trx) => {
        await sql`select pg_advisory_xact_lock(${BUILDS_LOCK}::bigint)`.execute(trx);
        await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT_MS)}`.execute(trx);
        return await change(trx);
      });
    } catch (error) {
      if ((error as { readonly code?: string }).code !== DEADLOCK_DETECTED || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * Makes what is missing: a build that serves, the views queries read it through, and beside an older version's build
 * the one that will replace it. What was built from another log, or from more of this one than is there (a log put
 * back from a back-up), is thrown away. A newer version's build is left alone: releases may run side by side, and only
 * an operator goes back.
 */
export async function prepare(readDb: ReadDb, projection: ReadModel, log: Pick<LogReader, 'id' | 'head'>) {
  const logId = await log.id();
  await changingBuilds(readDb.db, async (trx) => {
    await createOwnTables(trx);
    const found = await readBuilds(trx, projection.name);
    // Only now: a build that another process moves on meanwhile lies beyond any head asked for before it was read.
    const head = await log.head();
    for (const build of found) {
      const ahead = build.position !== null && (head === null || build.position > head);
      const stale = build.role === 'scratch' && build.version !== projection.version;
      if (build.log_id !== logId || ahead || stale || build.role === 'dropped') await discard(trx, build);
    }
    const builds = await readBuilds(trx, projection.name);
    const serving =
      builds.find(({ role }) => role === 'serving') ?? (await createBuild(trx, projection, 'serving', logId));
    if (serving.version < projection.version) {
      const other = builds.find(({ role }) => role === 'building');
      if (other !== undefined && other.version !== projection.version) await discard(trx, other);
      if (other?.version !== projection.version) await createBuild(trx, projection, 'building', logId);
    }
    await pointViews(trx, projection, serving);
  });
}

export async function createBuild(
  trx: Transaction<unknown>,
  projection: ReadModel,
  role: 'serving' | 'building' | 'scratch',
  logId: string,
): Promise<Build> {
  const build = await own(trx)
    .insertInto('writ.builds')
    .values({
      build: sql<number>`nextval('writ.build_ids')`,
      projection: projection.name,
      version: projection.version,
      log_id: logId,
      role,
      position: null,
      paused: false,
      events: 0,
      active_ms: 0,
      outcome: null,
      ended_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await createTables(trx, projection, schemaOfBuild(build));
  return build;
}

/** Drops a build's tables and all that is known of it. */
export async function discard(trx: Transaction<unknown>, build: Pick<Build, 'projection' | 'build'>): Promise<void> {
  await dropSchema(trx, schemaOfBuild(build));
  await forgetViews(trx, build.build);
  for (const table of ['writ.builds', 'writ.parked'] as const)
    await own(trx).deleteFrom(table).where('build', '=', build.build).execute();
}

export async function setBuild(
  db: Kysely<unknown>,
  build: number,
  values: Partial<Pick<Build, 'role' | 'paused' | 'ended_at' | 'outcome'>>,
): Promise<void> {
  const { outcome, ...rest } = values;
  const stored =
    outcome === undefined ? rest : { ...rest, outcome: sql<Comparison>`${JSON.stringify(outcome)}::jsonb` };
  await own(db).updateTable('writ.builds').set(stored).where('build', '=', build).execute();
}

export async function readBuilds(db: Kysely<unknown>, projection: string): Promise<Build[]> {
  return await own(db)
    .selectFrom('writ.builds')
    .selectAll()
    .where('projection', '=', projection)
    .orderBy('build')
    .execute();
}

/** Locks the builds of a projection, so that none moves on until the transaction ends. */
export async function lockBuilds(trx: Transaction<unknown>, projection: string): Promise<Build[]> {
  return await own(trx)
    .selectFrom('writ.builds')
    .selectAll()
    .where('projection', '=', projection)
    .orderBy('build')
    .forUpdate()
    .execute();
}

export async function readBuild(db: Kysely<unknown>, build: number): Promise<Build | null> {
  return (await own(db).selectFrom('writ.builds').selectAll().where('build', '=', build).executeTakeFirst()) ?? null;
}

/** How far what queries read is. */
export async function readServingPosition(db: Kysely<unknown>, projection: string): Promise<Position | null> {
  const serving = await own(db)
    .selectFrom('writ.builds')
    .select('position')
    .where('projection', '=', projection)
    .where('role', '=', 'serving')
    .executeTakeFirst();
  return serving?.position ?? null;
}

/**
 * Compare-and-set, so that a former leader that wakes up late writes nothing, nor anybody to a build that is stopped or
 * replaced. @throws LostLead
 */
export async function moveCheckpoint(
  db: Kysely<unknown>,
  { build, from, to, events, ms }: { build: number; from: Position | null; to: Position; events: number; ms: number },
): Promise<void> {
  const { numUpdatedRows } = await own(db)
    .updateTable('writ.builds')
    .set((eb) => ({
      position: to,
      events: eb('events', '+', events),
      active_ms: eb('active_ms', '+', Math.round(ms)),
    }))
    .where('build', '=', build)
    .where('position', 'is not distinct from', from)
    .where('paused', '=', false)
    .where('role', 'in', ['serving', 'building', 'scratch'])
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new LostLead(`build ${build} was moved on, stopped or replaced by another`);
}

/** Parks a stream, or says anew why it is. */
export async function park(db: Kysely<unknown>, build: number, parked: Parked, retry = false): Promise<void> {
  const { revision, position, reason } = parked;
  await own(db)
    .insertInto('writ.parked')
    .values({ build, ...parked, retry })
    .onConflict((conflict) => conflict.columns(['build', 'stream']).doUpdateSet({ revision, position, reason, retry }))
    .execute();
}

export async function unpark(db: Kysely<unknown>, build: number, stream: string): Promise<void> {
  await own(db).deleteFrom('writ.parked').where('build', '=', build).where('stream', '=', stream).execute();
}

export async function readParked(db: Kysely<unknown>, build: number): Promise<ParkedStatus[]> {
  return await own(db)
    .selectFrom('writ.parked')
    .select(['stream', 'revision', 'position', 'reason', 'retry as retrying'])
    .where('build', '=', build)
    .orderBy('position')
    .execute();
}

/** Asks whoever leads to try a parked stream again; false where it is not parked. */
export async function askRetry(db: Kysely<unknown>, build: number, stream: string): Promise<boolean> {
  const { numUpdatedRows } = await own(db)
    .updateTable('writ.parked')
    .set({ retry: true })
    .where('build', '=', build)
    .where('stream', '=', stream)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function retriesAsked(db: Kysely<unknown>, build: number): Promise<boolean> {
  return (await readParked(db, build)).some(({ retrying }) => retrying);
}

async function createOwnTables(trx: Transaction<unknown>): Promise<void> {
  await sql`create schema if not exists writ`.execute(trx);
  await sql`create sequence if not exists writ.build_ids as integer`.execute(trx);
  await sql`create table if not exists writ.builds (build integer primary key, projection text not null,
    version integer not null, log_id text not null, role text not null, position bigint, paused boolean not null,
    events bigint not null, active_ms bigint not null, outcome jsonb, ended_at text)`.execute(trx);
  // Asked for even where it is there, it would wait for all who write to its table, and a start beside them fail.
  const indexed = await sql`select 1 where to_regclass('writ.one_of_a_role') is not null`.execute(trx);
  if (indexed.rows.length === 0)
    await sql`create unique index one_of_a_role on writ.builds (projection, role) where role <> 'dropped'`.execute(trx);
  await sql`create table if not exists writ.views (projection text, version integer, build integer not null,
    primary key (projection, version))`.execute(trx);
  // The first releases kept neither build nor retry in it; what it held comes again from the log.
  const { rows } = await sql`select 1 from information_schema.columns
    where table_schema = 'writ' and table_name = 'parked' and column_name = 'version'`.execute(trx);
  if (rows.length > 0) await sql`drop table writ.parked, writ.checkpoints`.execute(trx);
  await sql`create table if not exists writ.parked (build integer, stream text, revision integer not null,
    position bigint not null, reason text not null, retry boolean not null, primary key (build, stream))`.execute(trx);
}
