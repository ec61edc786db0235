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
}

/**
 * A read model: what it reads, what it keeps, and how an event changes that. Each build of it has tables of its own
 * (builds.ts), so that a new one is filled beside the one that serves; queries read through views (views.ts).
 */
export interface Projection {
  readonly name: string;
  readonly version: number;
  /** Events of other streams only move the checkpoint; null: all streams are read. */
  readonly streamPrefixes: readonly string[] | null;
  readonly tables: Readonly<Record<string, Table>>;
  /** Pure. Throws for an event it does not know or cannot use: its stream is parked from there on. */
  apply(event: RecordedEvent): readonly Change[];
}

/** Where the queries of a version find its tables, whichever build serves. */
export const schemaOf = ({ name, version }: Pick<Projection, 'name' | 'version'>): string =>
  `${name.replaceAll('-', '_')}_v${version}`;

/** A projection's tables, for its queries; `Tables` are its row types by table name. */
export const tablesOf = <Tables>(readDb: ReadDb, projection: Pick<Projection, 'name' | 'version'>): Kysely<Tables> =>
  readDb.db.withSchema(schemaOf(projection)) as Kysely<unknown> as Kysely<Tables>;
