import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { type Build, schemaOfBuild } from './build.ts';
import { type ReadModel, schemaOf } from './projection.ts';
import { dropSchema } from './tables.ts';

/**
 * The one place where queries find the build that serves: views in a schema named by the version of the code that
 * asks, over the tables of whichever build it is. Pointing them elsewhere is part of a transaction, so a switch is one
 * step for every process. A version's queries find all columns they know; what the serving build (an older version's,
 * or a newer one's while releases run side by side) does not have is null.
 */
interface ViewTables {
  'writ.views': { projection: string; version: number; build: number };
}

const own = (db: Kysely<unknown>): Kysely<ViewTables> => db as Kysely<ViewTables>;

/** Table → column → type. */
type Columns = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Points the views of this version, and of every other one that still has some, to the build. */
export async function pointViews(trx: Transaction<unknown>, projection: ReadModel, to: Build): Promise<void> {
  const pointed = await own(trx)
    .selectFrom('writ.views')
    .select(['version', 'build'])
    .where('projection', '=', projection.name)
    .execute();
  if (!pointed.some(({ version }) => version === projection.version)) {
    // Whatever an earlier release kept under this name, views take its place.
    await dropSchema(trx, schemaOf(projection));
    await sql`create schema ${sql.id(schemaOf(projection))}`.execute(trx);
    await point(trx, projection, declared(projection), to);
  }
  for (const { version, build } of pointed) {
    if (build === to.build) continue;
    const other = { name: projection.name, version };
    await point(trx, other, await columnsIn(trx, schemaOf(other)), to);
  }
}

/** The views over a build that is dropped went with it. */
export async function forgetViews(trx: Transaction<unknown>, build: number): Promise<void> {
  await own(trx).deleteFrom('writ.views').where('build', '=', build).execute();
}

/** Forgets the views of versions before the one a switch has just replaced: nobody runs those any more. */
export async function dropViewsBefore(trx: Transaction<unknown>, name: string, oldest: number): Promise<void> {
  const gone = await own(trx)
    .deleteFrom('writ.views')
    .where('projection', '=', name)
    .where('version', '<', oldest)
    .returning('version')
    .execute();
  for (const { version } of gone) await dropSchema(trx, schemaOf({ name, version }));
}

async function point(
  trx: Transaction<unknown>,
  of: Pick<ReadModel, 'name' | 'version'>,
  shown: Columns,
  to: Build,
): Promise<void> {
  const there = await columnsIn(trx, schemaOfBuild(to));
  for (const [table, columns] of shown) {
    const held = there.get(table);
    const list = [...columns].map(([column, type]) => columnFrom(held?.get(column), column, type));
    const from = held === undefined ? sql`where false` : sql`from ${sql.id(schemaOfBuild(to), table)}`;
    await sql`create or replace view ${sql.id(schemaOf(of), table)} as select ${sql.join(list)} ${from}`.execute(trx);
  }
  await own(trx)
    .insertInto('writ.views')
    .values({ projection: of.name, version: of.version, build: to.build })
    .onConflict((conflict) => conflict.columns(['projection', 'version']).doUpdateSet({ build: to.build }))
    .execute();
}

const columnFrom = (held: string | undefined, column: string, type: string): RawBuilder<unknown> =>
  held === type ? sql`${sql.id(column)}` : sql`null::${sql.raw(type)} as ${sql.id(column)}`;

const declared = (projection: ReadModel): Columns =>
  new Map(Object.entries(projection.tables).map(([name, { columns }]) => [name, new Map(Object.entries(columns))]));

async function columnsIn(db: Kysely<unknown>, schema: string): Promise<Columns> {
  const { rows } = await sql<{ table: string; column: string; type: string }>`
    select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema} and c.relkind in ('r', 'p', 'v') and not c.relispartition
      and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum`.execute(db);
  const tables = new Map<string, Map<string, string>>();
  for (const { table, column, type } of rows) {
    let columns = tables.get(table);
    if (columns === undefined) tables.set(table, (columns = new Map()));
    columns.set(column, type);
  }
  return tables;
}
