import type { Kysely } from 'kysely';
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

  async subtreeHash(subtree: Subtree): Promise<Hash> {
    const { level, index } = tileHolding(subtree, Number.MAX_SAFE_INTEGER);
    const tile = await this.#hashes(level, index);
    if (tile === null) throw new Error(`the tree has no tile ${level}/${index} yet`);
    return hashInTile(subtree, tile);
  }

  async tile({ level, index, width }: TileAddress): Promise<Uint8Array | null> {
    const hashes = await this.#hashes(level, index);
    return hashes === null || hashes.length < width * HASH_BYTES ? null : hashes.subarray(0, width * HASH_BYTES);
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
      .selectFrom('checkpoints')
      .selectAll()
      .where('size', '<=', size)
      .orderBy('size', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (row === undefined) return null;
    const cosignatures = await this.#db
      .selectFrom('cosignatures')
      .select('line')
      .where('size', '=', row.size)
      .orderBy('witness')
      .execute();
    const note = row.note + cosignatures.map(({ line }) => line).join('');
    return { size: row.size, root: Buffer.from(row.root, 'base64'), note };
  }

  async #hashes(level: number, index: number): Promise<Buffer | null> {
    const row = await this.#db
      .selectFrom('tiles')
      .select('hashes')
      .where('level', '=', level)
      .where('index', '=', index)
      .executeTakeFirst();
    return row === undefined ? null : Buffer.from(row.hashes, 'base64');
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
