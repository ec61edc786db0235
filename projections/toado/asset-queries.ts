import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Kysely, Selectable } from 'kysely';
import { attribute } from '../../libs/person/attribution.ts';
import { tablesOf } from '../../libs/projection/projection.ts';
import { decodeCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import {
  type AnnotationView,
  type AssetView,
  type FoundAsset,
  GetAsset,
  ListAnnotations,
  ListAssets,
} from '../../libs/toado/assets/queries.ts';
import type { Reach } from '../../libs/toado/reach.ts';
import type { AssetTables } from './assets.ts';
import { toado, type ToadoTables } from './toado.projection.ts';
import { IN_TICKETS, within } from './within.ts';

const assetView = (row: Selectable<AssetTables['assets']>, nowMs: number): AssetView => ({
  id: row.id,
  ticket: row.ticket,
  name: row.name,
  media_type: row.media_type,
  length_bytes: row.length_bytes,
  sha256: row.sha256,
  version: row.version,
  by: attribute(row.actor, row.created_at, nowMs),
  created_at: row.created_at,
});

const ticketsWithin = (db: Kysely<ToadoTables>, reach: Reach) =>
  db.selectFrom('tickets').where(within(reach, IN_TICKETS));

/** Those on tickets within reach: there is no other way to them. */
const assetsWithin = (db: Kysely<ToadoTables>, reach: Reach) =>
  ticketsWithin(db, reach).innerJoin('assets', 'assets.ticket', 'tickets.id').where('assets.removed', '=', false);

@QueryHandler(ListAssets)
export class ListAssetsHandler implements IQueryHandler<ListAssets> {
  readonly #db: Kysely<ToadoTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request }: ListAssets): Promise<Page<AssetView> | null> {
    const { reach, ticket, cursor, limit, nowMs } = request;
    const [before] = decodeCursor('assets', cursor) ?? [];
    const found = await ticketsWithin(this.#db, reach)
      .select('tickets.id')
      .where('tickets.id', '=', ticket)
      .executeTakeFirst();
    if (found === undefined) return null;
    let query = this.#db.selectFrom('assets').selectAll().where('ticket', '=', ticket).where('removed', '=', false);
    if (before !== undefined) query = query.where('log_position', '<', before);
    const rows = await query
      .orderBy('log_position', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      (row) => assetView(row, nowMs),
      (row) => encodeCursor('assets', row.log_position),
    );
  }
}

@QueryHandler(GetAsset)
export class GetAssetHandler implements IQueryHandler<GetAsset> {
  readonly #db: Kysely<ToadoTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request: { reach, id, nowMs } }: GetAsset): Promise<FoundAsset | null> {
    const query = assetsWithin(this.#db, reach).selectAll('assets').where('assets.id', '=', id);
    const row = await query.executeTakeFirst();
    return row === undefined ? null : { asset: assetView(row, nowMs), place: row.place };
  }
}

@QueryHandler(ListAnnotations)
export class ListAnnotationsHandler implements IQueryHandler<ListAnnotations> {
  readonly #db: Kysely<ToadoTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request }: ListAnnotations): Promise<Page<AnnotationView> | null> {
    const { reach, asset, cursor, limit, nowMs } = request;
    const [before] = decodeCursor('annotations', cursor) ?? [];
    const found = await assetsWithin(this.#db, reach).select('assets.id').where('assets.id', '=', asset).execute();
    if (found.length === 0) return null;
    let query = this.#db.selectFrom('annotations').selectAll().where('asset', '=', asset).where('removed', '=', false);
    if (before !== undefined) query = query.where('log_position', '<', before);
    const rows = await query
      .orderBy('log_position', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      ({ id, shape, text, actor, created_at }) => ({
        id,
        asset,
        shape,
        text,
        by: attribute(actor, created_at, nowMs),
        created_at,
      }),
      (row) => encodeCursor('annotations', row.log_position),
    );
  }
}

export const ASSET_QUERIES = [ListAssetsHandler, GetAssetHandler, ListAnnotationsHandler];
