import { type Kysely, sql, type SqlBool } from 'kysely';
import { tablesOf } from '../../libs/projection/projection.ts';
import { type Hash, HASH_BYTES } from '../../libs/proof/hash.ts';
import type { Subtree } from '../../libs/proof/subtrees.ts';
import { hashInTile, TILE_WIDTH, type TileAddress, tileHolding } from '../../libs/proof/tiles.ts';
import type { ReadDb } from '../../libs/read-db/read-db.ts';
import type { PublishedCheckpoint, Tree } from '../../libs/transparency/tree.ts';
import { transparency, type TransparencyTables, treeSize } from './transparency.projection.ts';

/** The tree, read from its tables. */
export class StoredTree implements Tree {
  readonly #db: Kysely<TransparencyTables>;

  constructor(readDb: ReadDb) {
    this.#db = tablesOf(readDb, transparency);
  }

  size(): Promise<number> {
    return treeSize(this.#db);
  }

  async subtreeHashes(subtrees: readonly Subtree[]): Promise<Hash[]> {
    const addresses = subtrees.map((subtree) => tileHolding(subtree, Number.MAX_SAFE_INTEGER));
    const tiles = await this.#tiles(addresses);
    return subtrees.map((subtree, at) => {
      const name = nameOf(addresses[at]!);
      const tile = tiles.get(name);
      if (tile === undefined) throw new Error(`the tree has no tile ${name} yet`);
      return hashInTile(subtree, tile);
    });
  }

  async tile(address: TileAddress): Promise<Uint8Array | null> {
    const hashes = (await this.#tiles([address])).get(nameOf(address));
    const bytes = address.width * HASH_BYTES;
    return hashes === undefined || hashes.length < bytes ? null : hashes.subarray(0, bytes);
  }

  async leafAt(position: number): Promise<number | null> {
    const row = await this.#leavesAt(position);
    const at = row?.positions.indexOf(position) ?? -1;
    return row === undefined || at < 0 ? null : row.tile * TILE_WIDTH + at;
  }

  async positionOf(leaf: number): Promise<number | null> {
    const row = await this.#db
      .selectFrom('leaves')
      .select('positions')
      .where('tile', '=', Math.floor(leaf / TILE_WIDTH))
      .executeTakeFirst();
    return row?.positions[leaf % TILE_WIDTH] ?? null;
  }

  async leavesUpTo(position: number): Promise<number> {
    const row = await this.#leavesAt(position);
    if (row === undefined) return 0;
    return row.tile * TILE_WIDTH + row.positions.filter((one) => one <= position).length;
  }

  async checkpoint(size = Number.MAX_SAFE_INTEGER): Promise<PublishedCheckpoint | null> {
    const row = await this.#db
      .selectFrom('checkpoints as c')
      .select(({ selectFrom }) => [
        'c.size',
        'c.root',
        'c.note',
        selectFrom('cosignatures')
          .whereRef('cosignatures.size', '=', 'c.size')
          .select(sql<string | null>`string_agg(line, '' order by witness)`.as('lines'))
          .as('cosignatures'),
      ])
      .where('c.size', '<=', size)
      .orderBy('c.size', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (row === undefined) return null;
    return { size: row.size, root: Buffer.from(row.root, 'base64'), note: row.note + (row.cosignatures ?? '') };
  }

  /** By name, as wide as they have grown; those that are not there are not in it. */
  async #tiles(addresses: readonly TileAddress[]): Promise<ReadonlyMap<string, Buffer>> {
    const levels = addresses.map(({ level }) => level);
    const indexes = addresses.map(({ index }) => index);
    const rows = await this.#db
      .selectFrom('tiles')
      .selectAll()
      .where(sql<SqlBool>`(level, index) in (select * from unnest(${levels}::int[], ${indexes}::bigint[]))`)
      .execute();
    return new Map(rows.map((row) => [nameOf(row), Buffer.from(row.hashes, 'base64')]));
  }

  #leavesAt(position: number) {
    return this.#db
      .selectFrom('leaves')
      .select(['tile', 'positions'])
      .where('first_position', '<=', position)
      .orderBy('first_position', 'desc')
      .limit(1)
      .executeTakeFirst();
  }
}

const nameOf = ({ level, index }: { readonly level: number; readonly index: number }): string => `${level}/${index}`;
