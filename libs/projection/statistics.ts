import { type Kysely, sql } from 'kysely';
import type { AnyProjection } from './projection.ts';

/** Events until the planner first hears of a build's tables. */
const FIRST_EVENTS = 1_000;

/**
 * What the planner knows of a build's tables (PostgreSQL's ANALYZE), asked for anew whenever they have grown by as much
 * again. Without it a page of a large table is found by reading all of it. PGlite has nobody else who asks; a server
 * has autovacuum, which comes a minute after a rebuild was switched to.
 */
export class Statistics {
  readonly #projection: AnyProjection;
  readonly #schema: string;
  #events = 0;
  #dueAt = FIRST_EVENTS;

  /** @param schema where the tables of the build lie */
  constructor(projection: AnyProjection, schema: string) {
    this.#projection = projection;
    this.#schema = schema;
  }

  /** So many events more were applied. */
  async grew(db: Kysely<unknown>, events: number): Promise<void> {
    this.#events += events;
    if (this.#events < this.#dueAt) return;
    this.#dueAt = 2 * this.#events;
    for (const table of Object.keys(this.#projection.tables))
      await sql`analyze ${sql.id(this.#schema, table)}`.execute(db);
  }
}
