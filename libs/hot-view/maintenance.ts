import type { Position } from '../event-log/event-log.ts';
import type { Budget } from '../usage/use.ts';

/** What a use took, as the log recorded it. */
export interface RecordedCost {
  readonly budget: Budget;
  readonly cost: number;
  /** Second of the view's clock it was metered in, Unix. */
  readonly windowSecond: number;
  /**
   * How long ago it was recorded, whole seconds: where the view's clock has leapt since (by over 2 s), it counts as taken
   * no longer ago than that.
   */
  readonly recordedAgoSeconds?: number;
}

/** What a use took from its lineage's windows: what they are refilled from. */
export interface RecordedUse extends RecordedCost {
  readonly token: string;
}

/** What a use took from its workspace's ceiling: what the windows of workspaces are refilled from. */
export interface RecordedCeilingUse extends RecordedCost {
  readonly workspace: string;
}

/** What the follower of the log does to a view, beside `put` (projections/hot-view). */
export interface HotViewMaintenance {
  /**
   * Counts these in the windows, which are emptied first. A store other processes share, and may meter in meanwhile,
   * keeps of each second the greater count instead.
   */
  refill(uses: Iterable<RecordedUse>): void | Promise<void>;
  /** `refill` of the workspaces' windows. */
  refillCeilings(uses: Iterable<RecordedCeilingUse>): void | Promise<void>;
  /** From here on the view answers: it holds all the log says up to this position. */
  certify(position: Position | null): void | Promise<void>;
  /**
   * From here on, of two writes of one version the one made under these catalogues counts: a scope or a default limit
   * changed in a catalogue's file changes no token's stream.
   */
  useCatalogues(digest: string): void | Promise<void>;
  /**
   * A token whose events up to this version cannot be understood: 503 for it, and only it, until a write of that version
   * or a later one shows that somebody has understood them. Ignored when the view holds such a write already.
   */
  park(id: string, version: number): void | Promise<void>;
}
