import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Kysely, type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import { attribute } from '../../libs/person/attribution.ts';
import { tablesOf } from '../../libs/projection/projection.ts';
import { BadCursor, decodeCursor, decodeTextCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import type { Reach } from '../../libs/toado/reach.ts';
import {
  CountTickets,
  GetTicket,
  ListTicketActivity,
  ListTicketComments,
  ListTickets,
  type TicketActivityView,
  type TicketCommentView,
  type TicketFilter,
  type TicketView,
} from '../../libs/toado/tickets/queries.ts';
import type { TicketTables } from './tickets.ts';
import { toado } from './toado.projection.ts';
import { IN_TICKETS, within } from './within.ts';

type Row = Selectable<TicketTables['tickets']>;

export const ticketsWithin = (db: Kysely<TicketTables>, reach: Reach) =>
  db.selectFrom('tickets').where(within(reach, IN_TICKETS));

/** Positions are compared byte by byte, whatever the database's own collation. */
export const byPosition = sql`position collate "C"`;

const ticketView = (row: Row, nowMs: number): TicketView => ({
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

@QueryHandler(ListTickets)
export class ListTicketsHandler implements IQueryHandler<ListTickets> {
  readonly #db: Kysely<TicketTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request }: ListTickets): Promise<Page<TicketView>> {
    const { reach, cursor, limit, nowMs } = request;
    const tickets = filtered(ticketsWithin(this.#db, reach).selectAll(), request);
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

@QueryHandler(GetTicket)
export class GetTicketHandler implements IQueryHandler<GetTicket> {
  readonly #db: Kysely<TicketTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request: { reach, id, nowMs } }: GetTicket): Promise<TicketView | null> {
    const row = await ticketsWithin(this.#db, reach).selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? null : ticketView(row, nowMs);
  }
}

const reaches = async (db: Kysely<TicketTables>, reach: Reach, ticket: string): Promise<boolean> =>
  (await ticketsWithin(db, reach).select('id').where('id', '=', ticket).executeTakeFirst()) !== undefined;

@QueryHandler(ListTicketComments)
export class ListTicketCommentsHandler implements IQueryHandler<ListTicketComments> {
  readonly #db: Kysely<TicketTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request }: ListTicketComments): Promise<Page<TicketCommentView> | null> {
    const { reach, ticket, cursor, limit, nowMs } = request;
    const [before] = decodeCursor('ticket-comments', cursor) ?? [];
    if (!(await reaches(this.#db, reach, ticket))) return null;
    let query = this.#db.selectFrom('ticket_comments').selectAll().where('ticket', '=', ticket);
    if (before !== undefined) query = query.where('log_position', '<', before);
    const rows = await query
      .orderBy('log_position', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      ({ id, body, actor, created_at }) => ({ id, ticket, body, by: attribute(actor, created_at, nowMs), created_at }),
      (row) => encodeCursor('ticket-comments', row.log_position),
    );
  }
}

@QueryHandler(ListTicketActivity)
export class ListTicketActivityHandler implements IQueryHandler<ListTicketActivity> {
  readonly #db: Kysely<TicketTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request }: ListTicketActivity): Promise<Page<TicketActivityView> | null> {
    const { reach, ticket, cursor, limit, nowMs } = request;
    const [before] = decodeCursor('ticket-activity', cursor) ?? [];
    if (!(await reaches(this.#db, reach, ticket))) return null;
    let query = this.#db.selectFrom('ticket_activity').selectAll().where('ticket', '=', ticket);
    if (before !== undefined) query = query.where('version', '<', before);
    const rows = await query
      .orderBy('version', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      ({ type, version, comment, actor, at }) => ({ type, version, comment, by: attribute(actor, at, nowMs) }),
      (row) => encodeCursor('ticket-activity', row.version),
    );
  }
}

@QueryHandler(CountTickets)
export class CountTicketsHandler implements IQueryHandler<CountTickets> {
  readonly #db: Kysely<TicketTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request: { reach, column } }: CountTickets): Promise<number> {
    const { count } = await ticketsWithin(this.#db, reach)
      .select(sql<number>`count(*)::int`.as('count'))
      .where('column', '=', column)
      .where('archived', '=', false)
      .executeTakeFirstOrThrow();
    return count;
  }
}

export const TICKET_QUERIES = [
  ListTicketsHandler,
  GetTicketHandler,
  ListTicketCommentsHandler,
  ListTicketActivityHandler,
  CountTicketsHandler,
];
