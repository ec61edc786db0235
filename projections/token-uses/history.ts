import type { Kysely } from 'kysely';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import type { TokenItem } from './items.ts';
import { decodePlaces, type Place, readPlaces } from './places.ts';
import { blockOf, type TokenUsesTables } from './token-uses.projection.ts';

export interface HistorySlice {
  readonly token: string;
  /** Exclusive; null: from the beginning. */
  readonly after: Pick<TokenItem, 'position' | 'part'> | null;
  /** Inclusive position; undefined: to the end. */
  readonly until: number | undefined;
  readonly usesOnly: boolean;
  readonly limit: number;
}

/** A token's life and uses, in the log's order: found in the index, read from the log. */
export async function readHistory(
  db: Kysely<TokenUsesTables>,
  log: EventLog,
  { token, after, until = Infinity, usesOnly, limit }: HistorySlice,
): Promise<TokenItem[]> {
  const from = after?.position ?? 0;
  const items: TokenItem[] = [];
  for await (const block of blocksOf(db, token, from)) {
    let places = block.filter(({ position }) => position >= from && position <= until);
    while (places.length > 0 && items.length < limit) {
      // An event may be no item, or two: read as many as are missing, and see.
      const missing = limit - items.length;
      const read = await readPlaces(log, places.slice(0, missing));
      items.push(
        ...read.filter((item) => item.token === token && isAfter(item, after) && !(usesOnly && item.part === 'life')),
      );
      places = places.slice(missing);
    }
    if (items.length >= limit || (block.at(-1)?.position ?? 0) > until) break;
  }
  return items.slice(0, limit);
}

/** At one position a token's life comes before its use. */
const isAfter = ({ position, part }: TokenItem, after: HistorySlice['after']): boolean =>
  after === null || position > after.position || (after.part === 'life' && part === 'use');

const ROWS_AT_ONCE = 50;

/** Its places from a position's block on, some blocks at a time, each list in the log's order. */
async function* blocksOf(db: Kysely<TokenUsesTables>, token: string, position: number): AsyncGenerator<Place[]> {
  for (let block = blockOf(position); ;) {
    const rows = await db
      .selectFrom('places')
      .select(['block', 'stream', 'places'])
      .where('token', '=', token)
      .where('block', '>=', block)
      .orderBy('block')
      .fetch(ROWS_AT_ONCE, 'with ties')
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.flatMap(decodePlaces).sort((a, b) => a.position - b.position);
    block = last.block + 1;
  }
}
