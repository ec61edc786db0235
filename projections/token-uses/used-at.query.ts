import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Kysely, sql } from 'kysely';
import { tablesOf } from '../../libs/projection/projection.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import { UsedAt, type UsedThen } from '../../libs/usage/queries.ts';
import type { TokenUse } from '../../libs/usage/use.ts';
import { type HistoryTables, tokenUses, USE } from './token-uses.projection.ts';

/** The window and the second it stands in (libs/window). */
const WINDOW_SECONDS = 61;

@QueryHandler(UsedAt)
export class UsedAtHandler implements IQueryHandler<UsedAt> {
  readonly #db: Kysely<HistoryTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, tokenUses);
  }

  async execute({ request: { token, lineage, atMs } }: UsedAt): Promise<UsedThen> {
    const at = new Date(atMs).toISOString();
    const second = Math.floor(atMs / 1000);
    const recent = await this.#db
      .selectFrom('history')
      .select('data')
      .where('token', 'in', [...lineage])
      .where('part', '=', sql<number>`${sql.raw(String(USE))}`)
      .where('type', '=', 'TokenUsed')
      .where('time', '<=', at)
      // A minute more than the window: found by the time it was recorded, counted by its window second.
      .where('time', '>', new Date(atMs - (WINDOW_SECONDS + 60) * 1000).toISOString())
      .execute();
    const used = { reads: 0, writes: 0 };
    for (const { data } of recent) {
      const { budget, cost, window_second } = data as TokenUse;
      if (budget !== 'reads' && budget !== 'writes') continue;
      if (window_second > second - WINDOW_SECONDS && window_second <= second) used[budget] += cost;
    }
    const last = await this.#db
      .selectFrom('history')
      .select('time')
      .where('token', '=', token)
      .where('part', '=', sql<number>`${sql.raw(String(USE))}`)
      .where('time', '<=', at)
      .orderBy('time', 'desc')
      .limit(1)
      .executeTakeFirst();
    return { used, lastUsedAt: last?.time ?? null };
  }
}
