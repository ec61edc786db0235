import { type Kysely, sql } from 'kysely';
import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import { type Change, put } from '../../libs/projection/change.ts';
import type { FoldedProjection, Folding } from '../../libs/projection/projection.ts';
import { canonicalEvent } from '../../libs/proof/canonical-event.ts';
import { Frontier } from '../../libs/proof/frontier.ts';
import { type Hash, HASH_BYTES, leafHash } from '../../libs/proof/hash.ts';
import { subtreesOf } from '../../libs/proof/subtrees.ts';
import { hashInTile, TILE_WIDTH, tileHolding } from '../../libs/proof/tiles.ts';
import { CHECKPOINTS_STREAM, type CheckpointEvent } from '../../libs/transparency/events.ts';

export interface TransparencyTables {
  /** The tree's hashes, base64, 256 to a row but at its right edge. */
  tiles: { level: number; index: number; hashes: string };
  /** Where in the log the leaves of a level-0 tile are: an event's leaf is found by its position. */
  leaves: { tile: number; first_position: number; positions: readonly number[] };
  checkpoints: { size: number; root: string; note: string; position: number };
  cosignatures: { size: number; witness: string; line: string };
}

/** Levels of the tree that are kept: the first row of hashes of each tile. */
const LEVELS_A_TILE = 8;

/** The Merkle tree over all events in the log's order, as C2SP tiles, and the checkpoints signed of it (P9). */
export const transparency: FoldedProjection = {
  name: 'transparency',
  version: 1,
  streamPrefixes: null,
  readsStored: true,
  tables: {
    tiles: { columns: { level: 'integer', index: 'bigint', hashes: 'text' }, primaryKey: ['level', 'index'] },
    leaves: {
      columns: { tile: 'bigint', first_position: 'bigint', positions: 'jsonb' },
      primaryKey: ['tile'],
      indexes: ['(first_position)'],
    },
    checkpoints: {
      columns: { size: 'bigint', root: 'text', note: 'text', position: 'bigint' },
      primaryKey: ['size'],
    },
    cosignatures: {
      columns: { size: 'bigint', witness: 'text', line: 'text' },
      primaryKey: ['size', 'witness'],
    },
  },
  resume: async (tables) => growing(await readEdge(tables as Kysely<TransparencyTables>)),
};

/** The right edge of the tree: its partial tiles by level, and the positions of the last one's leaves. */
interface Edge {
  readonly size: number;
  readonly tiles: ReadonlyMap<number, Uint8Array>;
  readonly positions: readonly number[];
}

/** How many leaves the tables hold. */
export async function treeSize(db: Kysely<TransparencyTables>): Promise<number> {
  const last = await db
    .selectFrom('leaves')
    .select(['tile', sql<number>`jsonb_array_length(positions)`.as('width')])
    .orderBy('tile', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last === undefined ? 0 : last.tile * TILE_WIDTH + last.width;
}

async function readEdge(db: Kysely<TransparencyTables>): Promise<Edge> {
  const size = await treeSize(db);
  const tiles = new Map<number, Uint8Array>();
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / TILE_WIDTH)) {
    if (hashes % TILE_WIDTH === 0) continue;
    const row = await db
      .selectFrom('tiles')
      .select('hashes')
      .where('level', '=', level)
      .where('index', '=', Math.floor(hashes / TILE_WIDTH))
      .executeTakeFirstOrThrow();
    tiles.set(level, Buffer.from(row.hashes, 'base64'));
  }
  if (size % TILE_WIDTH === 0) return { size, tiles, positions: [] };
  const { positions } = await db
    .selectFrom('leaves')
    .select('positions')
    .where('tile', '=', Math.floor(size / TILE_WIDTH))
    .executeTakeFirstOrThrow();
  return { size, tiles, positions };
}

/** A tile that is being filled. */
interface OpenTile {
  index: number;
  width: number;
  readonly bytes: Buffer;
  changed: boolean;
}

function growing({ size, tiles, positions: known }: Edge): Folding {
  const frontier = Frontier.of(
    size,
    subtreesOf(0, size).map((subtree) => {
      const tile = tiles.get(tileHolding(subtree, size).level);
      if (tile === undefined) throw new Error(`the tile of subtree ${subtree.level}/${subtree.index} is missing`);
      return hashInTile(subtree, tile);
    }),
  );
  const open = new Map<number, OpenTile>();
  for (const [level, hashes] of tiles) {
    const bytes = Buffer.alloc(TILE_WIDTH * HASH_BYTES);
    bytes.set(hashes);
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    open.set(level, { index, width: hashes.length / HASH_BYTES, bytes, changed: false });
  }
  let positions = [...known];

  /** Puts a hash into its tile; full tiles are said at once. */
  function place(hash: Hash, level: number, index: number, changes: Change[]): void {
    const tileIndex = Math.floor(index / TILE_WIDTH);
    let tile = open.get(level);
    if (tile?.index !== tileIndex) {
      tile = { index: tileIndex, width: 0, bytes: Buffer.alloc(TILE_WIDTH * HASH_BYTES), changed: false };
      open.set(level, tile);
    }
    tile.bytes.set(hash, tile.width * HASH_BYTES);
    tile.width++;
    tile.changed = true;
    if (tile.width === TILE_WIDTH) changes.push(...said(level, tile));
  }

  function said(level: number, tile: OpenTile): Change[] {
    tile.changed = false;
    const { index, width, bytes } = tile;
    const hashes = bytes.toString('base64', 0, width * HASH_BYTES);
    const changes = [put('tiles', { level, index, hashes })];
    if (level === 0) changes.push(put('leaves', { tile: index, first_position: positions[0], positions }));
    return changes;
  }

  return {
    apply(event) {
      const changes = [...checkpointChanges(event)];
      if (frontier.size % TILE_WIDTH === 0) positions = [];
      positions.push(event.position);
      frontier.append(leafHash(canonicalEvent(event)), 0, (hash, level, firstLeaf) => {
        if (level % LEVELS_A_TILE === 0) place(hash, level / LEVELS_A_TILE, firstLeaf / 2 ** level, changes);
      });
      return changes;
    },
    flush: () => [...open].flatMap(([level, tile]) => (tile.changed ? said(level, tile) : [])),
  };
}

function checkpointChanges(event: RecordedEvent): Change[] {
  if (event.stream !== CHECKPOINTS_STREAM) return [];
  const known = event as RecordedEvent & CheckpointEvent;
  switch (known.type) {
    case 'CheckpointPublished': {
      const { size, root, note } = known.data;
      return [put('checkpoints', { size, root, note, position: event.position })];
    }
    case 'CheckpointCosigned': {
      const { size, witness, line } = known.data;
      return [put('cosignatures', { size, witness, line })];
    }
    default:
      return unknownEvent(known);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown checkpoint event ${(event as RecordedEvent).type}`);
}
