import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Kysely, sql, type SqlBool } from 'kysely';
import { type DigestSummary, ListDigests } from '../../libs/digests/queries.ts';
import { tablesOf } from '../../libs/projection/projection.ts';
import { decodeCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import { digests, type DigestsTables } from './digests.projection.ts';

const view = ({ id, period, from_ms, to_ms, log_position, totals }: DigestsTables['digests']): DigestSummary => ({
  id,
  period,
  from: new Date(from_ms).toISOString(),
  to: new Date(to_ms).toISOString(),
  log_position,
  totals,
});

@QueryHandler(ListDigests)
export class ListDigestsHandler implements IQueryHandler<ListDigests> {
  readonly #db: Kysely<DigestsTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, digests);
  }

  /** Of the periods that end together the longest first: no two begin together, too. */
  async execute({ request }: ListDigests): Promise<Page<DigestSummary>> {
    const { workspace, period, fromMs, toMs, cursor, limit } = request;
    const place = decodeCursor('digests', cursor, 2);
    let query = this.#db.selectFrom('digests').selectAll().where('workspace', '=', workspace);
    if (period !== undefined) query = query.where('period', '=', period);
    if (fromMs !== undefined) query = query.where('from_ms', '>=', fromMs);
    if (toMs !== undefined) query = query.where('from_ms', '<', toMs);
    if (place !== null) {
      const [to = 0, from = 0] = place;
      query = query.where(sql<SqlBool>`(to_ms < ${to} or (to_ms = ${to} and from_ms > ${from}))`);
    }
    const rows = await query
      .orderBy('to_ms', 'desc')
      .orderBy('from_ms')
      .limit(limit + 1)
      .execute();
    return pageOf(rows, limit, view, (row) => encodeCursor('digests', row.to_ms, row.from_ms));
  }
}

export const DIGEST_QUERIES = [ListDigestsHandler];
