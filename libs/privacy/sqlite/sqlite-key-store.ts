import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { PersonKeyStore } from '../person-key-store.ts';

export const personKeysFile = (dataDir: string): string => join(dataDir, 'person-keys.db');

/**
 * A file of its own in the data folder, for its owner's eyes only. A destroyed key is overwritten, not only let go
 * (secure_delete), and no write-ahead log keeps it. Several threads of the process may have it open.
 */
export class SqliteKeyStore implements PersonKeyStore {
  readonly #db: DatabaseSync;

  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const file = personKeysFile(dataDir);
    closeSync(openSync(file, 'a', 0o600));
    this.#db = new DatabaseSync(file);
    this.#db.exec(`
      PRAGMA busy_timeout = 5000; PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; PRAGMA secure_delete = ON;
      CREATE TABLE IF NOT EXISTS person_keys (
        person TEXT PRIMARY KEY, key BLOB, erased_at INTEGER, settled INTEGER NOT NULL DEFAULT 1
      ) STRICT, WITHOUT ROWID;
    `);
  }

  find(persons: readonly string[]): Promise<ReadonlyMap<string, Uint8Array | null>> {
    return this.#promise(() => {
      const rows = this.#db
        .prepare('SELECT person, key FROM person_keys WHERE person IN (SELECT value FROM json_each(?))')
        .all(JSON.stringify(persons)) as unknown as { person: string; key: Uint8Array | null }[];
      return new Map(rows.map(({ person, key }) => [person, key]));
    });
  }

  async make(person: string, key: Uint8Array): Promise<Uint8Array | null> {
    await this.#promise(() =>
      this.#db.prepare('INSERT INTO person_keys (person, key) VALUES (?, ?) ON CONFLICT DO NOTHING').run(person, key),
    );
    return (await this.find([person])).get(person) ?? null;
  }

  erase(person: string): Promise<boolean> {
    return this.#promise(() => {
      const { changes } = this.#db
        .prepare(
          `INSERT INTO person_keys (person, key, erased_at, settled) VALUES (?, NULL, ?, 0)
           ON CONFLICT DO UPDATE SET key = NULL, erased_at = excluded.erased_at, settled = 0 WHERE key IS NOT NULL`,
        )
        .run(person, Date.now());
      return changes > 0;
    });
  }

  unsettled(): Promise<readonly string[]> {
    return this.#promise(() => this.#persons('SELECT person FROM person_keys WHERE settled = 0 ORDER BY person'));
  }

  settle(persons: readonly string[]): Promise<void> {
    return this.#promise(() => {
      this.#db
        .prepare('UPDATE person_keys SET settled = 1 WHERE person IN (SELECT value FROM json_each(?))')
        .run(JSON.stringify(persons));
    });
  }

  erasedSince(instantMs: number | null): Promise<{ readonly persons: readonly string[]; readonly nowMs: number }> {
    return this.#promise(() => ({
      persons: this.#persons('SELECT person FROM person_keys WHERE key IS NULL AND erased_at >= ?', instantMs ?? 0),
      nowMs: Date.now(),
    }));
  }

  close(): Promise<void> {
    return this.#promise(() => this.#db.close());
  }

  #persons(sql: string, ...values: number[]): string[] {
    return (this.#db.prepare(sql).all(...values) as unknown as { person: string }[]).map(({ person }) => person);
  }

  /** SQLite answers at once; the port does not. */
  #promise<Answer>(ask: () => Answer): Promise<Answer> {
    return new Promise((resolve) => resolve(ask()));
  }
}
