import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Kysely } from 'kysely';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import { EVENT_LOG } from '../../libs/injection-tokens.ts';
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
import type { TokenUse } from '../../libs/usage/use.ts';
import { readHistory } from './history.ts';
import type { TokenItem } from './items.ts';
import { decodePlaces, readPlaces, readStretch } from './places.ts';
import { tokenUses, type TokenUsesTables } from './token-uses.projection.ts';

const shown = ({ position, revision, stream, type, time, data, actor }: HistoryItem): HistoryItem => ({
  position,
  revision,
  stream,
  type,
  time,
  data,
  actor,
});

const PARTS = ['life', 'use'] as const;

@QueryHandler(TokenHistory)
export class TokenHistoryHandler implements IQueryHandler<TokenHistory> {
  readonly #db: Kysely<TokenUsesTables>;
  constructor(
    @Inject(READ_DB) readDb: ReadDb,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {
    this.#db = tablesOf(readDb, tokenUses);
  }

  execute({ request }: TokenHistory): Promise<Page<HistoryItem>> {
    return page(this.#db, this.log, request, false);
  }
}

@QueryHandler(ListUses)
export class ListUsesHandler implements IQueryHandler<ListUses> {
  readonly #db: Kysely<TokenUsesTables>;
  constructor(
    @Inject(READ_DB) readDb: ReadDb,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {
    this.#db = tablesOf(readDb, tokenUses);
  }

  execute({ request }: ListUses): Promise<Page<HistoryItem>> {
    return page(this.#db, this.log, request, true);
  }
}

async function page(
  db: Kysely<TokenUsesTables>,
  log: EventLog,
  { token, cursor, limit, until }: TokenHistory['request'],
  usesOnly: boolean,
): Promise<Page<HistoryItem>> {
  const place = decodeCursor('history', cursor, 2);
  const after = place === null ? null : { position: place[0]!, part: PARTS[place[1]!] ?? 'use' };
  const items = await readHistory(db, log, { token, after, until, usesOnly, limit: limit + 1 });
  return pageOf(items, limit, shown, ({ position, part }) => encodeCursor('history', position, PARTS.indexOf(part)));
}

/** A request id that many calls were sent under is answered with its first uses. */
const MOST_FOUND = 100;

@QueryHandler(FindUse)
export class FindUseHandler implements IQueryHandler<FindUse> {
  readonly #db: Kysely<TokenUsesTables>;
  constructor(
    @Inject(READ_DB) readDb: ReadDb,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {
    this.#db = tablesOf(readDb, tokenUses);
  }

  /** Few stretches of few streams hold ids on both sides of it: those are read. */
  async execute({ request: { requestId, workspace } }: FindUse): Promise<(HistoryItem & { token: string })[]> {
    const stretches = await this.#db
      .selectFrom('requests')
      .select(['stream', 'first_revision', 'last_revision'])
      .where('last_request', '>=', requestId)
      .where('first_request', '<=', requestId)
      .execute();
    const read = await Promise.all(
      stretches.map(({ stream, first_revision: first, last_revision: last }) =>
        readStretch(this.log, stream, first, last),
      ),
    );
    return read
      .flat()
      .filter((item) => item.requestId === requestId && (workspace === undefined || item.workspace === workspace))
      .toSorted((a, b) => a.position - b.position)
      .slice(0, MOST_FOUND)
      .map((item) => ({ token: item.token, ...shown(item) }));
  }
}

/** Uses recorded at once by several processes are not quite in the order of their times. */
const LAST_BLOCKS = 8;

@QueryHandler(LastUsed)
export class LastUsedHandler implements IQueryHandler<LastUsed> {
  readonly #db: Kysely<TokenUsesTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, tokenUses);
  }

  async execute({ tokens }: LastUsed): Promise<ReadonlyMap<string, string>> {
    // A few steps into the index per token, however many uses it has.
    const times = await Promise.all(tokens.map((token) => this.#lastOf(token)));
    return new Map(times.flatMap((time, index) => (time === null ? [] : [[tokens[index]!, time]])));
  }

  async #lastOf(token: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom((blocks) =>
        blocks
          .selectFrom('places')
          .select('last_time')
          .where('token', '=', token)
          .where('last_time', 'is not', null)
          .orderBy('block', 'desc')
          .limit(LAST_BLOCKS)
          .as('latest'),
      )
      .select(({ fn }) => fn.max('last_time').as('time'))
      .executeTakeFirst();
    return row?.time ?? null;
  }
}

/** Buckets of a window, one a second (DESIGN §8). */
const WINDOW_SECONDS = 61;
/** A use is recorded after it was metered: where to look for those of a window, by their time. */
const LOOK_BACK_MS = 2 * WINDOW_SECONDS * 1000;

@QueryHandler(UsedAt)
export class UsedAtHandler implements IQueryHandler<UsedAt> {
  readonly #db: Kysely<TokenUsesTables>;
  constructor(
    @Inject(READ_DB) readDb: ReadDb,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {
    this.#db = tablesOf(readDb, tokenUses);
  }

  async execute({ request: { lineage, token, atMs } }: UsedAt): Promise<UsedThen> {
    const at = new Date(atMs).toISOString();
    const uses = await this.#usesAround(new Set([token, ...lineage]), new Date(atMs - LOOK_BACK_MS).toISOString(), at);
    const oldest = Math.floor(atMs / 1000) - WINDOW_SECONDS;
    const taken = (budget: string): number =>
      uses
        .filter(({ type }) => type === 'TokenUsed')
        .map(({ data }) => data as TokenUse)
        .filter((use) => use.budget === budget && use.window_second > oldest)
        .reduce((sum, { cost }) => sum + cost, 0);
    return {
      used: { reads: taken('reads'), writes: taken('writes') },
      lastUsedAt: latest([
        await this.#lastBlockBefore(token, at),
        ...uses.filter((use) => use.token === token).map(({ time }) => time),
      ]),
    };
  }

  /** Uses between two times, and those before that share a block with a later one. */
  async #usesAround(tokens: ReadonlySet<string>, from: string, to: string): Promise<TokenItem[]> {
    const rows = await this.#db
      .selectFrom('places')
      .select(['stream', 'places'])
      .where('token', 'in', [...tokens])
      .where('first_time', '<=', to)
      .where('last_time', '>', from)
      .execute();
    const items = await readPlaces(this.log, rows.flatMap(decodePlaces));
    return items.filter(({ token, part, time }) => tokens.has(token) && part === 'use' && time <= to);
  }

  async #lastBlockBefore(token: string, at: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom('places')
      .select(({ fn }) => fn.max('last_time').as('time'))
      .where('token', '=', token)
      .where('last_time', '<=', at)
      .executeTakeFirst();
    return row?.time ?? null;
  }
}

const latest = (times: readonly (string | null)[]): string | null =>
  times.reduce((last, time) => (last === null || (time !== null && time > last) ? time : last), null);

export const TOKEN_USE_QUERIES = [TokenHistoryHandler, ListUsesHandler, FindUseHandler, LastUsedHandler, UsedAtHandler];
