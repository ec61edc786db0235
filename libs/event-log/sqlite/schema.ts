/** The tables of a log's file, and of an archive's (libs/retention), which is a log's file that is never written again. */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

const SCHEMA_VERSION = 3;

/**
 * Brings an empty file, or one of an earlier version, to the tables of this one.
 * @param logId of a new file; default: a new one
 * @throws Error when another version of Writ wrote it
 */
export function migrate(db: DatabaseSync, logId: string = randomUUID()): void {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version === SCHEMA_VERSION) return;
  if (version === 2) return fromVersion2(db);
  if (version !== 0) throw new Error(`the log was written by another version of Writ (its schema is ${version})`);
  db.exec(`
    BEGIN IMMEDIATE;
    CREATE TABLE log (id TEXT NOT NULL) STRICT;
    -- A stream's category is its name up to the first hyphen; indexed, it makes reading one kind of stream cheap.
    CREATE TABLE categories (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    -- What was truncated is no longer among the events; the head of the stream is still known by it.
    CREATE TABLE streams (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, category INTEGER NOT NULL,
      truncated_before INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE events (
      position INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL, category INTEGER NOT NULL,
      revision INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL, metadata TEXT NOT NULL,
      recorded_at INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX events_by_stream ON events (stream, revision);
    CREATE INDEX events_by_category ON events (category, position);
    PRAGMA user_version = ${SCHEMA_VERSION};
  `);
  db.prepare('INSERT INTO log VALUES (?)').run(logId);
  db.exec('COMMIT');
}

/** Truncated streams came with version 3. */
function fromVersion2(db: DatabaseSync): void {
  db.exec(`
    BEGIN IMMEDIATE;
    ALTER TABLE streams ADD COLUMN truncated_before INTEGER NOT NULL DEFAULT 0;
    PRAGMA user_version = ${SCHEMA_VERSION};
    COMMIT;
  `);
}
