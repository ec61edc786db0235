import { sql, type Transaction } from 'kysely';
import type { ReadModel } from './projection.ts';

export async function createTables(trx: Transaction<unknown>, projection: ReadModel, schema: string): Promise<void> {
  await sql`create schema ${sql.id(schema)}`.execute(trx);
  const partitioned = await keepsPartitions(trx);
  for (const [name, table] of Object.entries(projection.tables)) {
    const columns = Object.entries(table.columns).map(([column, type]) => `"${column}" ${type}`);
    const key = table.primaryKey.map((column) => `"${column}"`).join();
    const id = sql.id(schema, name);
    const month = partitioned ? table.partitionByMonth : undefined;
    await sql`create table ${id} (${sql.raw(columns.join())}, primary key (${sql.raw(key)}))
      ${month === undefined ? sql`` : sql`partition by range (${sql.id(month)})`}`.execute(trx);
    for (const index of table.indexes ?? []) await sql`create index on ${id} ${sql.raw(index)}`.execute(trx);
    for (const index of table.uniqueIndexes ?? [])
      await sql`create unique index on ${id} ${sql.raw(index)}`.execute(trx);
  }
}

/** PGlite's tables are small, and plain. */
async function keepsPartitions(trx: Transaction<unknown>): Promise<boolean> {
  const { rows } = await sql<{ version: string }>`select version()`.execute(trx);
  return !/emscripten|wasm/i.test(rows[0]?.version ?? '');
}

export async function dropSchema(trx: Transaction<unknown>, schema: string): Promise<void> {
  await sql`drop schema if exists ${sql.id(schema)} cascade`.execute(trx);
}
