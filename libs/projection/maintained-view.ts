import type { Position } from '../event-log/event-log.ts';
import type { Comparison, ParkedStatus } from './build.ts';

/** A view that comes from the log, as operators see it: told of, rebuilt, compared. Fields as they go over the wire. */
export interface ViewStatus {
  readonly name: string;
  readonly version: number;
  /** Of what serves; smaller than `version` while an older version's tables serve until the new ones are ready. */
  readonly serving_version: number;
  readonly position: Position | null;
  /** The log's newest event; null when the log is empty or out of reach. */
  readonly head: Position | null;
  /** Whether this very process writes it. */
  readonly leading: boolean;
  /** Why it stands still at the moment; null when it does not. */
  readonly fault: string | null;
  readonly parked: readonly ParkedStatus[];
  readonly rebuild: Progress | null;
  readonly verification: Verification | null;
}

export interface Progress {
  readonly version: number;
  readonly state: 'running' | 'stopped';
  readonly events: number;
  readonly events_per_second: number;
  readonly position: Position | null;
  readonly head: Position | null;
  /** Of the log, 0 to 1. */
  readonly share: number;
  /** Null while there is too little to tell by. */
  readonly seconds_left: number | null;
  readonly parked: number;
}

export type Verification =
  | { readonly state: 'running'; readonly progress: Progress }
  | ({ readonly state: 'same' | 'different'; readonly at: string } & Comparison);

/** Why a request cannot be met now; null: it is under way, or done. */
export type Obstacle = string | null;

export interface MaintainedView {
  readonly name: string;
  /** It is made of events as they are stored, and holds nothing personal. */
  readonly readsStored: boolean;
  status(): Promise<ViewStatus>;
  /** Begins to fill a new build, or goes on with a stopped one (not when `anew`). */
  rebuild(anew: boolean): Promise<Obstacle>;
  /** Stops a rebuild where it is; `rebuild` goes on from there. */
  stopRebuild(): Promise<Obstacle>;
  /** Begins to compare what serves with what the log gives anew. */
  verify(): Promise<Obstacle>;
  /** Applies a parked stream from where it stopped. */
  retry(stream: string): Promise<Obstacle>;
}
