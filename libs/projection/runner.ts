import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { EventLog, Position, RecordedEvent } from '../event-log/event-log.ts';
import type { ReadDb } from '../read-db/read-db.ts';
import { ChangeBuffer } from './changes.ts';
import { EventQueue } from './event-queue.ts';
import { type Projection, schemaOf } from './projection.ts';
import { LostLead, moveCheckpoint, park, type Parked, prepare, readCheckpoint, readParked } from './store.ts';
import { Waiters } from './waiters.ts';

export interface ProjectionOptions {
  readonly log: EventLog;
  readonly readDb: ReadDb;
  readonly projection: Projection;
  /** Most events in one transaction. */
  readonly batchSize?: number;
  /** A fault that will be tried again: a database or log out of reach. */
  readonly onFault?: (error: Error) => void;
}

export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  readonly position: Position | null;
  /** Whether this process is the one that writes. */
  readonly leading: boolean;
  readonly parked: readonly Parked[];
  /** Why it stands still at the moment; null when it does not. */
  readonly fault: string | null;
}

export interface RunningProjection {
  readonly name: string;
  /** How far the read model is, as this process knows it; null before the first event. */
  position(): Position | null;
  /** Resolves true once the read model holds everything up to the position, false when it does not in time. */
  waitFor(position: Position, timeoutMs: number): Promise<boolean>;
  status(): Promise<ProjectionStatus>;
  /** Ends after the batch under way. */
  stop(): Promise<void>;
}

const BATCH = 500;
/** Events mapped between two turns of the event loop. */
const CHUNK = 50;
/** Where nothing of interest came, the checkpoint is written this seldom. */
const IDLE_CHECKPOINT_MS = 250;
const RETRY_MS = 500;
/** How often a process that does not lead looks while somebody waits. */
const POLL_MS = 50;
/** SQLSTATE classes that blame the event's data: data exception, constraint, program limit. */
const EVENTS_FAULT = /^(22|23|54)/;

/**
 * Keeps a read model at the head of the log. Data and checkpoint change in one transaction, the checkpoint by
 * compare-and-set, so a crash repeats nothing and loses nothing (P6). Over PostgreSQL one of all processes leads (an
 * advisory lock on its connection) and the others watch its checkpoint. Resolves when the tables are there.
 * @throws Error when database or log cannot be reached at the start
 */
export async function startProjection(options: ProjectionOptions): Promise<RunningProjection> {
  const { log, readDb, projection } = options;
  await prepare(readDb, projection, await log.id(), await log.head());
  const runner = new Runner(options, await readCheckpoint(readDb.db, projection));
  runner.start();
  return runner;
}

class Runner implements RunningProjection {
  readonly name: string;
  readonly #options: ProjectionOptions;
  readonly #projection: Projection;
  readonly #stopping = new AbortController();
  readonly #waiters = new Waiters();
  #done: Promise<void> = Promise.resolve();
  #polling = false;
  #leading = false;
  #fault: string | null = null;
  /** Up to here events are applied or do not concern the projection. */
  #seen: Position | null;
  /** The checkpoint as this runner last saw or wrote it; never beyond `#seen`. */
  #stored: Position | null;
  #storedAtMs = 0;
  #parked = new Set<string>();

  constructor(options: ProjectionOptions, position: Position | null) {
    this.#options = options;
    this.#projection = options.projection;
    this.name = options.projection.name;
    this.#seen = this.#stored = position;
  }

  start(): void {
    this.#done = this.#run();
  }

  /** What the log is asked to filter by; null: everything, and the filtering is ours. */
  #subscribed(): readonly string[] | null {
    return this.#options.log.filteredCheckpoints === 'prompt' ? this.#projection.streamPrefixes : null;
  }

  position(): Position | null {
    return this.#seen;
  }

  async waitFor(position: Position, timeoutMs: number): Promise<boolean> {
    if (this.#seen !== null && this.#seen >= position) return true;
    const reached = this.#waiters.wait(position, timeoutMs);
    void this.#poll();
    return await reached;
  }

  async status(): Promise<ProjectionStatus> {
    const { name, version } = this.#projection;
    const parked = await readParked(this.#options.readDb.db, this.#projection);
    return { name, version, position: this.#seen, leading: this.#leading, parked, fault: this.#fault };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
    this.#waiters.giveUp();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#lead((db) => this.#follow(db));
        this.#fault = null;
      } catch (error) {
        if (!signal.aborted && !(error instanceof LostLead)) {
          this.#fault = (error as Error).message;
          this.#options.onFault?.(error as Error);
        }
      }
      this.#leading = false;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /**
   * Runs as the leader, on the very connection that holds the lock: when it breaks, lock and writer go together.
   * PGlite serves one process, which always leads.
   */
  async #lead(work: (db: Kysely<unknown>) => Promise<void>): Promise<void> {
    const { readDb } = this.#options;
    if (readDb.engine === 'pglite') return await work(readDb.db);
    await readDb.db.connection().execute(async (db) => {
      const key = sql`hashtextextended(${`writ ${schemaOf(this.#projection)}`}, 0)`;
      const { rows } = await sql<{ held: boolean }>`select pg_try_advisory_lock(${key}) as held`.execute(db);
      if (rows[0]?.held !== true) return this.#reached(await readCheckpoint(db, this.#projection));
      try {
        await work(db);
      } finally {
        await sql`select pg_advisory_unlock(${key})`.execute(db).catch(() => undefined);
      }
    });
  }

  async #follow(db: Kysely<unknown>): Promise<void> {
    this.#stored = await readCheckpoint(db, this.#projection);
    this.#seen = this.#stored;
    this.#parked = new Set((await readParked(db, this.#projection)).map(({ stream }) => stream));
    this.#leading = true;
    this.#fault = null;
    const queue = new EventQueue(this.#options.log, this.#stored, this.#subscribed(), this.#stopping.signal);
    try {
      for (;;) {
        const idleMs = this.#seen === this.#stored ? null : IDLE_CHECKPOINT_MS;
        const batch = await queue.take(this.#options.batchSize ?? BATCH, idleMs);
        if (batch === null) break;
        if (batch.events.length > 0) await this.#apply(db, batch.events, batch.position);
        else if (batch.position === null && this.#seen !== null) await this.#store(db, this.#seen);
        if (batch.position !== null) this.#reached(batch.position);
        if (this.#seen !== null && performance.now() - this.#storedAtMs > IDLE_CHECKPOINT_MS)
          await this.#store(db, this.#seen);
      }
      if (this.#seen !== null) await this.#store(db, this.#seen);
    } finally {
      await queue.close();
    }
  }

  async #apply(db: Kysely<unknown>, events: readonly RecordedEvent[], position: Position | null): Promise<void> {
    const relevant = events.filter((event) => this.#concerns(event));
    const to = position ?? this.#seen;
    if (relevant.length === 0 || to === null) return;
    const { buffer, parked } = await this.#map(relevant);
    try {
      await this.#commit(db, to, async (trx) => {
        for (const one of parked) await park(trx, this.#projection, one);
        await buffer.write(trx);
      });
    } catch (error) {
      if (!blamesEvent(error)) throw error;
      await this.#applySingly(db, relevant, to);
      return;
    }
    for (const { stream } of parked) this.#parked.add(stream);
  }

  /** Events to changes, a few at a time, so that the calls being served meanwhile get their turn. */
  async #map(events: readonly RecordedEvent[]): Promise<{ buffer: ChangeBuffer; parked: readonly Parked[] }> {
    const buffer = new ChangeBuffer(this.#projection);
    const parked = new Map<string, Parked>();
    for (const [index, event] of events.entries()) {
      if (index % CHUNK === CHUNK - 1) await nextTurn();
      if (parked.has(event.stream)) continue;
      try {
        buffer.push(this.#projection.apply(event));
      } catch (error) {
        parked.set(event.stream, asParked(event, error));
      }
    }
    return { buffer, parked: [...parked.values()] };
  }

  /** The database refused something of a batch: event by event, to park only the stream it came from. */
  async #applySingly(db: Kysely<unknown>, events: readonly RecordedEvent[], to: Position): Promise<void> {
    const parked = new Set<string>();
    await this.#commit(db, to, async (trx) => {
      for (const event of events) {
        if (parked.has(event.stream)) continue;
        await sql`savepoint one_event`.execute(trx);
        try {
          const buffer = new ChangeBuffer(this.#projection);
          buffer.push(applyOrBlame(this.#projection, event));
          await buffer.write(trx);
        } catch (error) {
          if (!blamesEvent(error) && !(error instanceof NotApplicable)) throw error;
          await sql`rollback to savepoint one_event`.execute(trx);
          await park(trx, this.#projection, asParked(event, error));
          parked.add(event.stream);
        }
        await sql`release savepoint one_event`.execute(trx);
      }
    });
    for (const stream of parked) this.#parked.add(stream);
  }

  async #store(db: Kysely<unknown>, position: Position): Promise<void> {
    if (position !== this.#stored) await this.#commit(db, position, () => Promise.resolve());
  }

  async #commit(db: Kysely<unknown>, to: Position, write: (trx: Kysely<unknown>) => Promise<void>): Promise<void> {
    await db.transaction().execute(async (trx) => {
      await moveCheckpoint(trx, this.#projection, this.#stored, to);
      await write(trx);
    });
    this.#stored = to;
    this.#storedAtMs = performance.now();
  }

  #concerns({ stream }: RecordedEvent): boolean {
    const { streamPrefixes } = this.#projection;
    if (streamPrefixes !== null && !streamPrefixes.some((prefix) => stream.startsWith(prefix))) return false;
    return !this.#parked.has(stream);
  }

  #reached(position: Position | null): void {
    if (position === null || (this.#seen !== null && position < this.#seen)) return;
    this.#seen = position;
    this.#waiters.reached(position);
  }

  /** While somebody waits and another process leads, its checkpoint is looked at. */
  async #poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    while (this.#waiters.waiting && !this.#stopping.signal.aborted) {
      if (!this.#leading) {
        const position = await readCheckpoint(this.#options.readDb.db, this.#projection).catch(() => null);
        if (!this.#leading) this.#reached(position);
      }
      await sleep(POLL_MS);
    }
    this.#polling = false;
  }
}

class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

function applyOrBlame(projection: Projection, event: RecordedEvent) {
  try {
    return projection.apply(event);
  } catch (error) {
    throw new NotApplicable((error as Error).message, { cause: error });
  }
}

const blamesEvent = (error: unknown): boolean => EVENTS_FAULT.test((error as { code?: string }).code ?? '');

const asParked = ({ stream, revision, position, type }: RecordedEvent, error: unknown): Parked => ({
  stream,
  revision,
  position,
  reason: `${type}: ${(error as Error).message}`.replaceAll('\0', '').slice(0, 500),
});
