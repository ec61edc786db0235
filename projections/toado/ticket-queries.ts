import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Kysely, sql } from 'kysely';
import { attribute } from '../../libs/person/attribution.ts';
import { tablesOf } from '../../libs/projection/projection.ts';
import { decodeCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
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
  type TicketView,
} from '../../libs/toado/tickets/queries.ts';
import { listTickets, ticketsWithin, ticketView } from './ticket-list.ts';
import type { TicketTables } from './tickets.ts';
import { toado } from './toado.projection.ts';

@QueryHandler(ListTickets)
export class ListTicketsHandler implements IQueryHandler<ListTickets> {
  readonly #db: Kysely<TicketTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  execute({ request }: ListTickets): Promise<Page<TicketView>> {
    return listTickets(this.#db, request);
  }
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
