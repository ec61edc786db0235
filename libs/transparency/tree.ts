import type { Position } from '../event-log/event-log.ts';
import type { Hash } from '../proof/hash.ts';
import type { Subtree } from '../proof/subtrees.ts';
import type { TileAddress } from '../proof/tiles.ts';

/** The tree as its projection holds it; answered in projections/transparency. */
export interface Tree {
  /** Leaves in it now. */
  size(): Promise<number>;
  /** One for each, in their order. @throws Error when the tree has not grown over one of them */
  subtreeHashes(subtrees: readonly Subtree[]): Promise<Hash[]>;
  /** Null: no tile of that width, or wider, is there. */
  tile(address: TileAddress): Promise<Uint8Array | null>;
  /** The leaf of the event at a position; null: none there, or not taken in yet. */
  leafAt(position: Position): Promise<number | null>;
  /** Where in the log the event of a leaf is; null: the tree has not grown over it. */
  positionOf(leaf: number): Promise<Position | null>;
  /** Leaves of events up to a position, that of the position included. */
  leavesUpTo(position: Position): Promise<number>;
  /** The newest checkpoint of at most `size` leaves, witnesses' lines included; null: none. */
  checkpoint(size?: number): Promise<PublishedCheckpoint | null>;
}

export interface PublishedCheckpoint {
  readonly size: number;
  readonly root: Hash;
  /** The signed note. */
  readonly note: string;
}
