import type { Kysely } from 'kysely';
import type { RecordedEvent } from '../event-log/event-log.ts';
import type { ReadDb } from '../read-db/read-db.ts';
import type { Change } from './change.ts';

export type ColumnType = 'text' | 'bigint' | 'integer' | 'boolean' | 'jsonb';

/** How a column takes what a `gather` brings to a row that is there: texts one after the other, or the lesser or greater. */
export type Gather = 'append' | 'least' | 'greatest';

export interface Table {
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly primaryKey: readonly string[];
  /** Of a table that is written by `gather`: all columns but the key. */
  readonly gathers?: Readonly<Record<string, Gather>>;
  /** What follows `create index on <table>`, or `create unique index on <table>`: `(workspace, position desc)`. */
  readonly indexes?: readonly string[];
  readonly uniqueIndexes?: readonly string[];
  /** An integer column like `202611`, part of every unique key: PostgreSQL keeps a partition for each month. */
  readonly partitionByMonth?: string;
}

/**
 * A read model: what it reads and what it keeps. Each build of it has tables of its own (builds.ts), so that a new one
 * is filled beside the one that serves; queries read through views (views.ts).
 */
export interface ReadModel {
  readonly name: string;
  readonly version: number;
  /** Events of other streams only move the checkpoint; null: all streams are read. */
  readonly streamPrefixes: readonly string[] | null;
  /** It gets events as they are stored, personal values sealed: what is made of their bytes, and keeps none of them. */
  readonly readsStored?: boolean;
  readonly tables: Readonly<Record<string, Table>>;
}

/** A read model of which each event changes rows, whatever came before it. */
export interface Projection extends ReadModel {
  /** Pure. Throws for an event it does not know or cannot use: its stream is parked from there on. */
  apply(event: RecordedEvent): readonly Change[];
}

/**
 * A read model of which an event means something only after all before it. It gets every one, in order; one it cannot
 * use is a fault, and it stands still there: nothing is parked.
 */
export interface FoldedProjection extends ReadModel {
  /** Goes on from what the build's tables hold. */
  resume(tables: Kysely<unknown>): Promise<Folding>;
}

export interface Folding {
  apply(event: RecordedEvent): readonly Change[];
  /** What a batch leaves to be written at its end. */
  flush(): readonly Change[];
}

export type AnyProjection = Projection | FoldedProjection;

/** Where the queries of a version find its tables, whichever build serves. */
export const schemaOf = ({ name, version }: Pick<ReadModel, 'name' | 'version'>): string =>
  `${name.replaceAll('-', '_')}_v${version}`;

/** A projection's tables, for its queries; `Tables` are its row types by table name. */
export const tablesOf = <Tables>(readDb: ReadDb, projection: Pick<ReadModel, 'name' | 'version'>): Kysely<Tables> =>
  readDb.db.withSchema(schemaOf(projection)) as Kysely<unknown> as Kysely<Tables>;
