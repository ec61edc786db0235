import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Kysely, sql } from 'kysely';
import { tablesOf } from '../../libs/projection/projection.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import type { Gap } from '../../libs/toado/ordering.ts';
import { FindGap } from '../../libs/toado/tickets/queries.ts';
import { byPosition, ticketsWithin } from './ticket-list.ts';
import type { TicketTables } from './tickets.ts';
import { toado } from './toado.projection.ts';

/** Each neighbour is one step into the index of the column. */
@QueryHandler(FindGap)
export class FindGapHandler implements IQueryHandler<FindGap> {
  readonly #db: Kysely<TicketTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request }: FindGap): Promise<Gap | null> {
    const { placement } = request;
    if (placement === 'first') return { lower: null, upper: await this.#next(request, null) };
    if (placement === 'last') return { lower: await this.#previous(request, null), upper: null };
    if ('behind' in placement) return { lower: placement.behind, upper: await this.#next(request, placement.behind) };
    const before = 'before' in placement;
    const beside = await this.#others(request)
      .select('position')
      .where('id', '=', before ? placement.before : placement.after)
      .executeTakeFirst();
    if (beside === undefined) return null;
    return before
      ? { lower: await this.#previous(request, beside.position), upper: beside.position }
      : { lower: beside.position, upper: await this.#next(request, beside.position) };
  }

  #others({ reach, column, moving }: FindGap['request']) {
    const tickets = ticketsWithin(this.#db, reach).where('column', '=', column).where('archived', '=', false);
    return moving === null ? tickets : tickets.where('id', '!=', moving);
  }

  async #next(request: FindGap['request'], after: string | null): Promise<string | null> {
    let query = this.#others(request).select('position');
    if (after !== null) query = query.where(sql<boolean>`${byPosition} > ${after}`);
    return (await query.orderBy(byPosition).limit(1).executeTakeFirst())?.position ?? null;
  }

  async #previous(request: FindGap['request'], before: string | null): Promise<string | null> {
    let query = this.#others(request).select('position');
    if (before !== null) query = query.where(sql<boolean>`${byPosition} < ${before}`);
    return (await query.orderBy(byPosition, 'desc').limit(1).executeTakeFirst())?.position ?? null;
  }
}
