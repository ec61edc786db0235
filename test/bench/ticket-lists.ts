import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RawBuilder, sql } from 'kysely';
import { schemaOf, tablesOf } from '../../libs/projection/projection.ts';
import { startProjection } from '../../libs/projection/runner.ts';
import { openReadDb, type ReadDb } from '../../libs/read-db/read-db.ts';
import type { Reach } from '../../libs/toado/reach.ts';
import type { TicketFilter } from '../../libs/toado/tickets/queries.ts';
import { listTickets } from '../../projections/toado/ticket-list.ts';
import type { TicketTables } from '../../projections/toado/tickets.ts';
import { toado } from '../../projections/toado/toado.projection.ts';
import { MemoryEventLog } from '../doubles/memory-event-log.ts';
import { median } from './load.ts';
import { table, whole } from './markdown.ts';
import { atMost, type Findings, type Subject } from './subject.ts';

const TICKETS = 100_000;
const PAGE = 50;
const ROUNDS = 200;
const WARM_ROUNDS = 30;

/** A page of tickets as Toado's query gives it, beside the bare SQL of the same rows, on the same PGlite. */
export const ticketLists: Subject = { name: 'ticket-lists', measure };

interface Case {
  readonly name: string;
  readonly reach: Reach;
  readonly filter: Partial<TicketFilter>;
  readonly bare: RawBuilder<unknown>;
}

async function measure(): Promise<Findings> {
  const directory = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  const readDb = await openReadDb({ directory });
  try {
    const running = await startProjection({ log: new MemoryEventLog(), readDb, projection: toado });
    await fill(readDb);
    await running.stop();
    const figures = [];
    for (const one of CASES) figures.push({ name: one.name, ...(await compare(readDb, one)) });
    return render(figures);
  } finally {
    await readDb.close();
    rmSync(directory, { recursive: true });
  }
}

const tickets = sql.id(schemaOf(toado), 'tickets');

/** Of ten companies with ten projects each, of four columns; straight into the table, which is what a list reads. */
async function fill({ db }: ReadDb): Promise<void> {
  await sql`insert into ${tickets} (id, workspace, company, project, "column", position, title, body, archived,
      assignees, version, actor, created_at, updated_at, log_position)
    select 'T' || n, 'w', 'c' || n % 10, 'p' || n % 100, 'k' || n % 400, 'a' || to_char(n, 'FM000000'),
      'Ticket ' || n, repeat('All is well. ', 20), n % 5 = 0, '[]'::jsonb, 0,
      '{"person": {"id": "j", "name": "Jason"}, "token": "t", "label": "claude-code", "face": "mcp"}'::jsonb,
      '2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05.000Z', n
    from generate_series(1, ${TICKETS}::int) as n`.execute(db);
  await sql`analyze ${tickets}`.execute(db);
}

const everything: Reach = { workspace: 'w', companies: [], projects: [] };
const CASES: readonly Case[] = [
  {
    name: 'newest of the workspace',
    reach: everything,
    filter: {},
    bare: sql`select * from ${tickets} where workspace = 'w' and archived = false
      order by log_position desc limit ${PAGE + 1}`,
  },
  {
    name: 'newest a token pinned to one project sees',
    reach: { workspace: 'w', companies: ['c7'], projects: ['p7'] },
    filter: {},
    bare: sql`select * from ${tickets} where workspace = 'w' and company = 'c7' and project = 'p7' and archived = false
      order by log_position desc limit ${PAGE + 1}`,
  },
  {
    name: 'one column, in its order',
    reach: everything,
    filter: { column: 'k7' },
    bare: sql`select * from ${tickets} where workspace = 'w' and "column" = 'k7' and archived = false
      order by position collate "C", log_position limit ${PAGE + 1}`,
  },
];

interface Compared {
  readonly listMs: number;
  readonly bareMs: number;
  readonly ratio: number;
}

async function compare(readDb: ReadDb, { reach, filter, bare }: Case): Promise<Compared> {
  const db = tablesOf<TicketTables>(readDb, toado);
  const request = { reach, archived: false, ...filter, cursor: null, limit: PAGE, nowMs: Date.now() };
  const list = () => timed(async () => (await listTickets(db, request)).items.length);
  const plain = () => timed(async () => (await bare.execute(readDb.db)).rows.length - 1);
  const lists: number[] = [];
  const plains: number[] = [];
  for (let round = 0; round < WARM_ROUNDS + ROUNDS; round++) {
    const first = round % 2 === 0;
    const one = await (first ? list() : plain());
    const other = await (first ? plain() : list());
    if (round < WARM_ROUNDS) continue;
    lists.push(first ? one : other);
    plains.push(first ? other : one);
  }
  return { listMs: median(lists), bareMs: median(plains), ratio: median(lists) / median(plains) };
}

async function timed(page: () => Promise<number>): Promise<number> {
  const started = performance.now();
  const rows = await page();
  if (rows !== PAGE) throw new Error(`a page of ${rows} tickets is not what is compared`);
  return performance.now() - started;
}

function render(figures: readonly (Compared & { readonly name: string })[]): Findings {
  const ms = (figure: number): string => figure.toFixed(2);
  return {
    targets: figures.map(({ name, ratio }) =>
      atMost(`list of ${PAGE} tickets (${name}), in times of bare SQL`, 1.5, ratio),
    ),
    section: `## Lists of tickets

A page of ${PAGE} out of ${whole(TICKETS)} tickets on PGlite, with restriction, attribution and cursor, beside the bare SQL of the same
rows, in turns; medians of ${ROUNDS}.

${table(
  ['list', 'ms', 'bare SQL ms', 'times'],
  figures.map(({ name, listMs, bareMs, ratio }) => [name, ms(listMs), ms(bareMs), ratio.toFixed(2)]),
)}`,
  };
}
