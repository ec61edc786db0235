import type { Position } from '../event-log/event-log.ts';

/**
 * What a build is for: the one queries read, the one that will take its place, a copy made to compare, and what is
 * left of the last two: the result of a comparison, and tables nobody needs any more.
 */
export type Role = 'serving' | 'building' | 'scratch' | 'verified' | 'dropped';

/** One filling of a projection's tables from the log. */
export interface Build {
  readonly build: number;
  readonly projection: string;
  readonly version: number;
  readonly log_id: string;
  readonly role: Role;
  /** How far it is; data and position change in one transaction. */
  readonly position: Position | null;
  /** Stopped by an operator until resumed. */
  readonly paused: boolean;
  /** Applied, and how long that took: what a rate and the time left are told by. */
  readonly events: number;
  readonly active_ms: number;
  readonly outcome: Comparison | null;
  readonly ended_at: string | null;
}

/** A stream that stands still in a projection, from the event on that could not be applied. */
export interface Parked {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly reason: string;
}

/** `retrying`: somebody asked to apply it, and that has not been done yet. */
export interface ParkedStatus extends Parked {
  readonly retrying: boolean;
}

/** What serves against what the log gives anew, both at one position. */
export interface Comparison {
  readonly position: Position | null;
  readonly tables: readonly TableComparison[];
  /** The first row that is not the same; null where all are. */
  readonly difference: Difference | null;
}

export interface TableComparison {
  readonly table: string;
  readonly rows: number;
  /** Of all rows, whatever their order. */
  readonly checksum: string;
  readonly same: boolean;
}

/** Named by its key and columns, not its contents: they may be another workspace's. */
export interface Difference {
  readonly table: string;
  readonly key: Readonly<Record<string, unknown>>;
  readonly what: 'missing' | 'unexpected' | 'different';
  readonly columns: readonly string[];
  /** Of what is a count: what the log says, and what is held. */
  readonly counts?: { readonly log: number; readonly view: number };
}

/** The build is not where this runner left it: another one leads, or it was stopped or replaced. */
export class LostLead extends Error {
  override readonly name = 'LostLead';
}

/** Where a build's tables lie. Builds are numbered across all projections and never twice alike. */
export const schemaOfBuild = ({ projection, build }: Pick<Build, 'projection' | 'build'>): string =>
  `${projection.replaceAll('-', '_')}_b${build}`;
