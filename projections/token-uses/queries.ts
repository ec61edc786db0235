import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Kysely, sql } from 'kysely';
import { tablesOf } from '../../libs/projection/projection.ts';
import { decodeCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import {
  FindUse,
  type HistoryItem,
  LastUsed,
  ListUses,
  TokenHistory,
  UsedAt,
  type UsedThen,
} from '../../libs/usage/queries.ts';
import { type HistoryTables, tokenUses, USE } from './token-uses.projection.ts';

const isUse = sql<boolean>`part = ${sql.raw(String(USE))}`;

type HistoryRow = HistoryTables['history'];

const item = ({ position, revision, stream, type, time, data, actor }: HistoryRow): HistoryItem => ({
  position,
  revision,
  stream,
  type,
  time,
  data,
  actor,
});

async function page(
  db: Kysely<HistoryTables>,
  { token, cursor, limit, until }: TokenHistory['request'],
  usesOnly: boolean,
): Promise<Page<HistoryItem>> {
  const place = decodeCursor('history', cursor, 2);
  let query = db.selectFrom('history').selectAll().where('token', '=', token);
  if (usesOnly) query = query.where(isUse);
  if (until !== undefined) query = query.where('position', '<=', until);
  if (place !== null) query = query.where(sql<boolean>`(position, part) > (${place[0]}, ${place[1]})`);
  const rows = await query
    .orderBy('position')
    .orderBy('part')
    .limit(limit + 1)
    .execute();
  return pageOf(rows, limit, item, (row) => encodeCursor('history', row.position, row.part));
}

@QueryHandler(TokenHistory)
export class TokenHistoryHandler implements IQueryHandler<TokenHistory> {
  readonly #db: Kysely<HistoryTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, tokenUses);
  }

  execute({ request }: TokenHistory): Promise<Page<HistoryItem>> {
    return page(this.#db, request, false);
  }
}

@QueryHandler(ListUses)
export class ListUsesHandler implements IQueryHandler<ListUses> {
  readonly #db: Kysely<HistoryTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, tokenUses);
  }

  execute({ request }: ListUses): Promise<Page<HistoryItem>> {
    return page(this.#db, request, true);
  }
}

/** A request id that many calls were sent under is answered with its first uses. */
const MOST_FOUND = 100;

@QueryHandler(FindUse)
export class FindUseHandler implements IQueryHandler<FindUse> {
  readonly #db: Kysely<HistoryTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, tokenUses);
  }

  async execute({ request: { requestId, workspace } }: FindUse): Promise<(HistoryItem & { token: string })[]> {
    let query = this.#db.selectFrom('history').selectAll().where('request_id', '=', requestId);
    if (workspace !== undefined) query = query.where('workspace', '=', workspace);
    const rows = await query.orderBy('position').limit(MOST_FOUND).execute();
    return rows.map((row) => ({ token: row.token, ...item(row) }));
  }
}

@QueryHandler(LastUsed)
export class LastUsedHandler implements IQueryHandler<LastUsed> {
  readonly #db: Kysely<HistoryTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, tokenUses);
  }

  async execute({ tokens }: LastUsed): Promise<ReadonlyMap<string, string>> {
    if (tokens.length === 0) return new Map();
    // One step into the index per token, however many uses it has.
    const rows = await Promise.all(
      tokens.map((token) =>
        this.#db
          .selectFrom('history')
          .select(['token', 'time'])
          .where('token', '=', token)
          .where(isUse)
          .orderBy('time', 'desc')
          .limit(1)
          .executeTakeFirst(),
      ),
    );
    return new Map(rows.flatMap((row) => (row === undefined ? [] : [[row.token, row.time]])));
  }
}

/** Buckets of a window, one a second (DESIGN §8). */
const WINDOW_SECONDS = 61;
/** A use is recorded after it was metered: where to look for those of a window, by their time. */
const LOOK_BACK_MS = 2 * WINDOW_SECONDS * 1000;

@QueryHandler(UsedAt)
export class UsedAtHandler implements IQueryHandler<UsedAt> {
  readonly #db: Kysely<HistoryTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, tokenUses);
  }

  async execute({ request: { lineage, token, atMs } }: UsedAt): Promise<UsedThen> {
    const second = Math.floor(atMs / 1000);
    const uses = this.#db
      .selectFrom('history')
      .where('token', 'in', [token, ...lineage])
      .where(isUse)
      .where('time', '<=', new Date(atMs).toISOString());
    const last = await uses
      .select('time')
      .where('token', '=', token)
      .orderBy('time', 'desc')
      .limit(1)
      .executeTakeFirst();
    const taken = await uses
      .select([sql<string>`data->>'budget'`.as('budget'), sql<number>`sum((data->>'cost')::int)::int`.as('cost')])
      .where('type', '=', 'TokenUsed')
      .where('time', '>', new Date(atMs - LOOK_BACK_MS).toISOString())
      .where(sql<number>`(data->>'window_second')::bigint`, '>', second - WINDOW_SECONDS)
      .groupBy(sql`data->>'budget'`)
      .execute();
    const cost = (budget: string): number => taken.find((row) => row.budget === budget)?.cost ?? 0;
    return { used: { reads: cost('reads'), writes: cost('writes') }, lastUsedAt: last?.time ?? null };
  }
}

export const TOKEN_USE_QUERIES = [TokenHistoryHandler, ListUsesHandler, FindUseHandler, LastUsedHandler, UsedAtHandler];
