import { sql } from 'kysely';
import { type AuditFilter, ListAudit } from '../../libs/audit/queries.ts';
import { schemaOf } from '../../libs/projection/projection.ts';
import { startProjection } from '../../libs/projection/runner.ts';
import { openReadDb, type ReadDb } from '../../libs/read-db/read-db.ts';
import { audit } from '../../projections/audit/audit.projection.ts';
import type { ListAuditHandler as Handler } from '../../projections/audit/queries.ts';
import { MemoryEventLog } from '../doubles/memory-event-log.ts';
import { startPostgres } from '../support/postgres.ts';
import { median, quantile } from './load.ts';
import { table, whole } from './markdown.ts';
import { atMost, type Findings, type Subject } from './subject.ts';

const USES = 5_000_000;
const TOKENS = 10_000;
const OWNERS = 500;
const OPERATIONS = 40;
const PAGE = 50;
const ROUNDS = 500;
const WARM_ROUNDS = 50;

// From the build: Node strips types but knows no decorators.
const built = new URL('../../dist/projections/audit/queries.js', import.meta.url).href;

/** A page of the audit trail out of five million uses, as the query gives it, on PostgreSQL. */
export const auditPages: Subject = { name: 'audit-pages', measure };

async function measure(): Promise<Findings> {
  const { ListAuditHandler } = (await import(built)) as { readonly ListAuditHandler: typeof Handler };
  const postgres = await startPostgres('bench');
  try {
    const readDb = await openReadDb({ databaseUrl: postgres.url });
    const running = await startProjection({ log: new MemoryEventLog(), readDb, projection: audit });
    await running.stop();
    await fill(readDb);
    const handler = new ListAuditHandler(readDb);
    const figures = [];
    for (const { name, filter } of CASES) figures.push({ name, ...(await timed(handler, filter)) });
    await readDb.close();
    return {
      targets: figures.map(({ name, p99Ms }) =>
        atMost(`page of the audit trail over ${USES / 1_000_000} M uses, by ${name}, P99 ms`, 20, p99Ms),
      ),
      section: `## Pages of the audit trail

${PAGE} rows out of ${whole(USES)} uses over three months, of ${whole(TOKENS)} tokens, ${OWNERS} owners and ${OPERATIONS} operations, on ${postgres.what};
each of ${ROUNDS} with another value, picked at random.

${table(
  ['by', 'P50 ms', 'P99 ms'],
  figures.map(({ name, p50Ms, p99Ms }) => [name, p50Ms.toFixed(1), p99Ms.toFixed(1)]),
)}`,
    };
  } finally {
    await postgres.stop();
  }
}

const MONTHS = [202609, 202610, 202611] as const;
const FIRST = '2026-09-01T00:00:00Z';

/** Straight into the table, which is what a page reads; a use every 1.5 seconds. */
async function fill({ db }: ReadDb): Promise<void> {
  const entries = sql.id(schemaOf(audit), 'entries');
  const { rows } = await sql<{ schema: string }>`select n.nspname as schema from pg_class c
    join pg_namespace n on n.oid = c.relnamespace where c.relname = 'entries' and c.relkind = 'p'`.execute(db);
  const schema = rows[0]?.schema ?? '';
  for (const month of MONTHS)
    await sql`create table ${sql.id(schema, `entries_${month}`)} partition of ${sql.id(schema, 'entries')}
      for values from (${sql.lit(month)}) to (${sql.lit(month + 1)})`.execute(db);
  await sql`insert into ${entries} (month, position, part, kind, type, time, workspace, stream, revision, token, owner,
      owner_name, label, face, operation, resource, decision, status, client_address, client_name, request_id, calls)
    select to_char(at, 'YYYYMM')::int, n, 1, 'use', 'TokenUsed', (extract(epoch from at) * 1000)::bigint, 'w', 'usage-a', n,
      'T' || t, 'o' || t % ${sql.lit(OWNERS)}, 'Jason', 'claude-code on macbook', 'rest', 'op' || (random() * ${sql.lit(OPERATIONS - 1)})::int,
      'report/R' || n % 100000, 'allowed', 200, '192.0.2.' || n % 250, 'node', 'q' || n, 1
    from (select n, (random() * ${sql.lit(TOKENS - 1)})::int as t, timestamp ${sql.lit(FIRST)} + n * interval '1.5 seconds' as at
      from generate_series(1, ${sql.lit(USES)}) as n) as made`.execute(db);
  await sql`vacuum analyze ${sql.id(schema, 'entries')}`.execute(db);
}

const pick = (most: number): number => Math.floor(Math.random() * most);
const someTime = (): string => new Date(Date.parse(FIRST) + pick(USES) * 1_500).toISOString();

const CASES: readonly { readonly name: string; readonly filter: () => Partial<AuditFilter> }[] = [
  { name: 'token', filter: () => ({ token: `T${pick(TOKENS)}` }) },
  { name: 'owner', filter: () => ({ owner: `o${pick(OWNERS)}` }) },
  { name: 'time', filter: () => ({ to: someTime() }) },
  { name: 'operation', filter: () => ({ operation: `op${pick(OPERATIONS)}` }) },
  { name: 'token and time', filter: () => ({ token: `T${pick(TOKENS)}`, to: someTime() }) },
];

async function timed(handler: Handler, filter: () => Partial<AuditFilter>): Promise<{ p50Ms: number; p99Ms: number }> {
  const took: number[] = [];
  for (let round = 0; round < WARM_ROUNDS + ROUNDS; round++) {
    const query = new ListAudit({ workspace: 'w', ...filter() }, { cursor: null, limit: PAGE });
    const startedMs = performance.now();
    await handler.execute(query);
    if (round >= WARM_ROUNDS) took.push(performance.now() - startedMs);
  }
  return { p50Ms: median(took), p99Ms: quantile(took, 0.99) };
}
