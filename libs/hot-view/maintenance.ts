import type { Position } from '../event-log/event-log.ts';
import type { Budget } from '../usage/use.ts';

/** A use as the log recorded it: what the windows are refilled from. */
export interface RecordedUse {
  readonly token: string;
  readonly budget: Budget;
  readonly cost: number;
  /** Second of the view's clock it was metered in, Unix. */
  readonly windowSecond: number;
}

/** What the follower of the log does to a view, beside `put` (projections/hot-view). */
export interface HotViewMaintenance {
  /**
   * Counts these in the windows, which are emptied first. A store other processes share, and may meter in meanwhile,
   * keeps of each second the greater count instead.
   */
  refill(uses: Iterable<RecordedUse>): void | Promise<void>;
  /** From here on the view answers: it holds all the log says up to this position. */
  certify(position: Position | null): void | Promise<void>;
  /** A token whose events cannot be understood: 503 for it, and only it. */
  park(id: string): void | Promise<void>;
}
