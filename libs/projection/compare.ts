import { type Kysely, type RawBuilder, sql } from 'kysely';
import { type Build, type Comparison, type Difference, schemaOfBuild, type TableComparison } from './build.ts';
import type { ReadModel, Table } from './projection.ts';

/** Compares two builds of one version table by table, in the caller's transaction: both must stand still in it. */
export async function compareBuilds(
  db: Kysely<unknown>,
  projection: ReadModel,
  serving: Build,
  scratch: Build,
): Promise<Comparison> {
  const tables: TableComparison[] = [];
  let difference: Difference | null = null;
  for (const [name, table] of Object.entries(projection.tables)) {
    const ours = await checksum(db, sql.id(schemaOfBuild(serving), name));
    const anew = await checksum(db, sql.id(schemaOfBuild(scratch), name));
    const same = ours.rows === anew.rows && ours.checksum === anew.checksum;
    tables.push({ table: name, ...ours, same });
    if (!same) difference ??= await firstDifference(db, name, table, serving, scratch);
  }
  const parked = { columns: {}, primaryKey: ['stream'] } as const;
  const parkedOf = ({ build }: Build) => sql`(select stream, revision from writ.parked where build = ${build})`;
  difference ??= await differenceOf(db, 'parked', parked, parkedOf(serving), parkedOf(scratch));
  return { position: serving.position, tables, difference };
}

/** A sum over the rows, so that no order has to be made first. */
async function checksum(db: Kysely<unknown>, table: RawBuilder<unknown>): Promise<{ rows: number; checksum: string }> {
  const { rows } = await sql<{ rows: number; checksum: string }>`
    select count(*)::int as rows, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text as checksum
    from ${table} as t`.execute(db);
  return rows[0] ?? { rows: 0, checksum: '0' };
}

const firstDifference = (db: Kysely<unknown>, name: string, table: Table, serving: Build, scratch: Build) =>
  differenceOf(db, name, table, sql.id(schemaOfBuild(serving), name), sql.id(schemaOfBuild(scratch), name));

async function differenceOf(
  db: Kysely<unknown>,
  name: string,
  { primaryKey }: Pick<Table, 'primaryKey'>,
  serving: RawBuilder<unknown>,
  scratch: RawBuilder<unknown>,
): Promise<Difference | null> {
  const keys = sql.raw(primaryKey.map((column) => `"${column}"`).join());
  const { rows } = await sql<Record<string, unknown> & { _serving: object | null; _rebuilt: object | null }>`
    select ${keys}, to_jsonb(s) as _serving, to_jsonb(r) as _rebuilt
    from ${serving} as s full outer join ${scratch} as r using (${keys})
    where to_jsonb(s) is distinct from to_jsonb(r) order by ${keys} limit 1`.execute(db);
  const first = rows[0];
  if (first === undefined) return null;
  const { _serving: ours, _rebuilt: anew, ...key } = first;
  if (ours === null) return { table: name, key, what: 'missing', columns: [] };
  if (anew === null) return { table: name, key, what: 'unexpected', columns: [] };
  const columns = Object.keys(anew).filter(
    (column) => JSON.stringify(ours[column as keyof typeof ours]) !== JSON.stringify(anew[column as keyof typeof anew]),
  );
  return { table: name, key, what: 'different', columns };
}
