import { type Kysely, type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import { attribute } from '../../libs/person/attribution.ts';
import { BadCursor, decodeCursor, decodeTextCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
import type { Reach } from '../../libs/toado/reach.ts';
import type { ListTickets, TicketFilter, TicketView } from '../../libs/toado/tickets/queries.ts';
import type { TicketTables } from './tickets.ts';
import { IN_TICKETS, within } from './within.ts';

type Row = Selectable<TicketTables['tickets']>;

export const ticketsWithin = (db: Kysely<TicketTables>, reach: Reach) =>
  db.selectFrom('tickets').where(within(reach, IN_TICKETS));

/** Positions are compared byte by byte, whatever the database's own collation. */
export const byPosition = sql`position collate "C"`;

/** A row as readers see it. */
export const ticketView = (row: Row, nowMs: number): TicketView => ({
  id: row.id,
  project: row.project,
  company: row.company,
  column: row.column,
  position: row.position,
  title: row.title,
  body: row.body,
  archived: row.archived,
  branch: row.branch,
  assignees: row.assignees,
  by: attribute(row.actor, row.updated_at, nowMs),
  version: row.version,
  created_at: row.created_at,
  updated_at: row.updated_at,
});

type Tickets = SelectQueryBuilder<TicketTables, 'tickets', Row>;

function filtered(query: Tickets, { company, project, column, assignee, branch, archived }: TicketFilter): Tickets {
  let found = query.where('archived', '=', archived);
  if (company !== undefined) found = found.where('company', '=', company);
  if (project !== undefined) found = found.where('project', '=', project);
  if (column !== undefined) found = found.where('column', '=', column);
  if (branch !== undefined) found = found.where('branch', '=', branch);
  if (assignee !== undefined) {
    found = found.where(sql<boolean>`assignees @> ${JSON.stringify([{ id: assignee }])}::jsonb`);
  }
  return found;
}

const POSITION = /^[0-9A-Za-z]{1,1000}$/;

/** One page of a list; a column's in its order, any other newest first. @throws BadCursor */
export async function listTickets(
  db: Kysely<TicketTables>,
  request: ListTickets['request'],
): Promise<Page<TicketView>> {
  const { reach, cursor, limit, nowMs } = request;
  const tickets = filtered(ticketsWithin(db, reach).selectAll(), request);
  const ofColumn = request.column !== undefined;
  const page = ofColumn ? inTheirOrder(tickets, cursor) : newestFirst(tickets, cursor);
  return pageOf(
    await page.limit(limit + 1).execute(),
    limit,
    (row) => ticketView(row, nowMs),
    (row) =>
      ofColumn
        ? encodeCursor('column-tickets', row.position, row.log_position)
        : encodeCursor('tickets', row.log_position),
  );
}

function newestFirst(tickets: Tickets, cursor: string | null): Tickets {
  const [before] = decodeCursor('tickets', cursor) ?? [];
  const rest = before === undefined ? tickets : tickets.where('log_position', '<', before);
  return rest.orderBy('log_position', 'desc');
}

function inTheirOrder(tickets: Tickets, cursor: string | null): Tickets {
  const [position, logPosition] = decodeTextCursor('column-tickets', cursor, 2) ?? [];
  const ordered = tickets.orderBy(byPosition).orderBy('log_position');
  if (position === undefined) return ordered;
  if (!POSITION.test(position) || !Number.isSafeInteger(Number(logPosition))) throw new BadCursor();
  return ordered.where(sql<boolean>`(${byPosition}, log_position) > (${position}, ${Number(logPosition)})`);
}
