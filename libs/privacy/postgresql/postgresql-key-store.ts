import pg from 'pg';
import type { PersonKeyStore } from '../person-key-store.ts';

/** Serialises the making of the table among processes that start together. */
const MAKING = 7_361_002_451;
const CONNECTIONS = 4;

const TABLE = `
  create schema if not exists writ_keys;
  create table if not exists writ_keys.person_keys (
    person text primary key, key bytea, erased_at timestamptz, settled boolean not null default true
  );
  create index if not exists person_keys_erased on writ_keys.person_keys (erased_at) where key is null;
`;

/** For several processes: a database that holds nothing else, and is backed up on its own. */
export class PostgresqlKeyStore implements PersonKeyStore {
  readonly #pool: pg.Pool;

  private constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** @throws Error when it cannot be reached */
  static async open(connectionString: string): Promise<PostgresqlKeyStore> {
    const pool = new pg.Pool({ connectionString, max: CONNECTIONS });
    // A connection lost while nobody queries on it is noticed at the next query; unheard, it would end the process.
    const ignore = (): void => undefined;
    pool.on('error', ignore);
    pool.on('connect', (client) => client.on('error', ignore));
    try {
      await pool.query(`begin; select pg_advisory_xact_lock(${MAKING}); ${TABLE} commit;`);
    } catch (error) {
      await pool.end();
      throw error;
    }
    return new PostgresqlKeyStore(pool);
  }

  async find(persons: readonly string[]): Promise<ReadonlyMap<string, Uint8Array | null>> {
    const { rows } = await this.#pool.query<{ person: string; key: Uint8Array | null }>(
      'select person, key from writ_keys.person_keys where person = any($1)',
      [persons],
    );
    return new Map(rows.map(({ person, key }) => [person, key]));
  }

  async make(person: string, key: Uint8Array): Promise<Uint8Array | null> {
    await this.#pool.query('insert into writ_keys.person_keys (person, key) values ($1, $2) on conflict do nothing', [
      person,
      key,
    ]);
    return (await this.find([person])).get(person) ?? null;
  }

  async erase(person: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `insert into writ_keys.person_keys as held (person, key, erased_at, settled)
       values ($1, null, clock_timestamp(), false)
       on conflict (person) do update set key = null, erased_at = excluded.erased_at, settled = false
       where held.key is not null`,
      [person],
    );
    // The row's former version is let go of, which otherwise would wait for the next autovacuum.
    if (rowCount === 1) await this.#pool.query('vacuum writ_keys.person_keys');
    return rowCount === 1;
  }

  async unsettled(): Promise<readonly string[]> {
    const { rows } = await this.#pool.query<{ person: string }>(
      'select person from writ_keys.person_keys where not settled order by person',
    );
    return rows.map(({ person }) => person);
  }

  async settle(persons: readonly string[]): Promise<void> {
    await this.#pool.query('update writ_keys.person_keys set settled = true where person = any($1)', [persons]);
  }

  async erasedSince(instantMs: number | null) {
    const { rows } = await this.#pool.query<{ now_ms: string; persons: string[] }>(
      `select extract(epoch from clock_timestamp()) * 1000 as now_ms,
         array(select person from writ_keys.person_keys where key is null and erased_at >= to_timestamp($1)) as persons`,
      [(instantMs ?? 0) / 1000],
    );
    const [answer] = rows;
    return { persons: answer?.persons ?? [], nowMs: Number(answer?.now_ms ?? 0) };
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
