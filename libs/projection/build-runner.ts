import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { LogReader, Position } from '../event-log/event-log.ts';
import type { ReadDb } from '../read-db/read-db.ts';
import { type Build, LostLead, type Role, schemaOfBuild } from './build.ts';
import { BuildWriter } from './build-writer.ts';
import { Courtesy } from './courtesy.ts';
import { EventQueue } from './event-queue.ts';
import type { AnyProjection } from './projection.ts';
import type { ThreadShare } from './thread/thread-share.ts';

export interface BuildRunnerOptions {
  readonly log: LogReader;
  readonly readDb: ReadDb;
  readonly projection: AnyProjection;
  readonly build: Build;
  readonly batchSize: number;
  /** Whether others need the CPU and nobody waits for it to get further: it then takes its time. */
  readonly unhurried: () => boolean;
  /** What the thread is kept to while it takes its time; null: nothing. */
  readonly share: ThreadShare | null;
  /** How far it is, as the leader knows it. */
  readonly onReached: (position: Position) => void;
  /** It has caught up with the log and is not the one that serves; true: it need not be followed further. */
  readonly onDrained: (db: Kysely<unknown>, writer: BuildWriter) => Promise<boolean>;
  /** Another process leads it, or it was stopped, replaced or dropped: time to look at the builds again. */
  readonly onLost: () => void;
  readonly onFault: (error: Error) => void;
}

/** Where nothing of interest came, the checkpoint is written this seldom: other processes wait by it, or none can. */
const IDLE_CHECKPOINT_MS = { postgresql: 250, pglite: 2_000 };
const RETRY_MS = 500;
/** Asked to retry, or to try a switch again, it looks after so long at most. */
const IDLE_MS = 500;
/** A lock that a switch did not get in time. */
export const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Keeps one build at the head of the log. Over PostgreSQL one of all processes leads it, by an advisory lock on its
 * connection.
 */
export class BuildRunner {
  role: Role;
  leading = false;
  fault: string | null = null;
  readonly #options: BuildRunnerOptions;
  readonly #stopping = new AbortController();
  readonly #courtesy = new Courtesy();
  readonly #done: Promise<void>;
  #retryAsked = false;
  #ended = false;
  /** Up to here events are applied or do not concern the projection. */
  #seen: Position | null = null;
  #storedAtMs = 0;

  constructor(options: BuildRunnerOptions) {
    this.#options = options;
    this.role = options.build.role;
    this.#done = this.#run();
  }

  /** Whether its work is done: a comparison was made. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Parked streams are waiting to be tried again. */
  retry(): void {
    this.#retryAsked = true;
  }

  /** Ends after the batch under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && !this.#ended) {
      try {
        await this.#lead((db) => this.#follow(db));
      } catch (error) {
        if (!signal.aborted && !(error instanceof LostLead)) {
          this.fault = (error as Error).message;
          this.#options.onFault(error as Error);
        }
      }
      this.leading = false;
      if (signal.aborted || this.#ended) break;
      this.#options.onLost();
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /**
   * Runs as the leader, on the very connection that holds the lock: when it breaks, lock and writer go together.
   * PGlite serves one process, which always leads.
   */
  async #lead(work: (db: Kysely<unknown>) => Promise<void>): Promise<void> {
    const { readDb, build } = this.#options;
    if (readDb.engine === 'pglite') return await work(readDb.db);
    await readDb.db.connection().execute(async (db) => {
      const key = sql`hashtextextended(${`writ ${schemaOfBuild(build)}`}, 0)`;
      const { rows } = await sql<{ held: boolean }>`select pg_try_advisory_lock(${key}) as held`.execute(db);
      if (rows[0]?.held !== true) return;
      try {
        await work(db);
      } finally {
        await sql`select pg_advisory_unlock(${key})`.execute(db).catch(() => undefined);
      }
    });
  }

  async #follow(db: Kysely<unknown>): Promise<void> {
    const { log, projection, build, unhurried } = this.#options;
    const writer = await BuildWriter.open(db, log, projection, build.build, this.#courtesy);
    this.#seen = writer.position;
    this.leading = true;
    this.fault = null;
    const prefixes = log.filteredCheckpoints === 'prompt' ? projection.streamPrefixes : null;
    const queue = new EventQueue(log, writer.position, prefixes, this.#stopping.signal, unhurried);
    try {
      while (await this.#step(db, writer, queue)) {
        if (this.role !== 'serving') await this.#courtesy.rest(this.#stopping.signal);
        await this.#options.share?.keepTo(this.#options.unhurried, this.#stopping.signal);
      }
      if (!this.#ended && this.#seen !== null) await writer.store(db, this.#seen);
    } finally {
      await queue.close();
    }
  }

  get #checkpointMs(): number {
    return IDLE_CHECKPOINT_MS[this.#options.readDb.engine];
  }

  /** A batch, or what there is to do where none comes; false at the end. */
  async #step(db: Kysely<unknown>, writer: BuildWriter, queue: EventQueue): Promise<boolean> {
    if (this.#retryAsked) {
      this.#retryAsked = false;
      await writer.retryParked(db);
    }
    const drained = this.role !== 'serving' && queue.drained;
    if (drained) {
      await this.#store(db, writer);
      this.#ended = await this.#drained(db, writer);
      if (this.#ended) return false;
      if (this.role === 'scratch') {
        // It must not run ahead of what it is compared with.
        await sleep(IDLE_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
        return !this.#stopping.signal.aborted;
      }
    }
    const batch = await queue.take(
      this.#options.batchSize,
      this.#seen === writer.position ? IDLE_MS : Math.min(IDLE_MS, this.#checkpointMs),
    );
    if (batch === null) return false;
    const to = batch.position ?? this.#seen;
    if (batch.events.length > 0 && to !== null) await writer.apply(db, batch.events, to);
    else if (batch.position === null) await this.#store(db, writer);
    if (batch.position !== null) this.#reached(batch.position);
    if (performance.now() - this.#storedAtMs > this.#checkpointMs) await this.#store(db, writer);
    return true;
  }

  async #drained(db: Kysely<unknown>, writer: BuildWriter): Promise<boolean> {
    try {
      return await this.#options.onDrained(db, writer);
    } catch (error) {
      if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE) return false;
      throw error;
    } finally {
      await writer.adopt(db);
      if (writer.position !== null) this.#reached(writer.position);
    }
  }

  async #store(db: Kysely<unknown>, writer: BuildWriter): Promise<void> {
    if (this.#seen !== null) await writer.store(db, this.#seen);
    this.#storedAtMs = performance.now();
  }

  #reached(position: Position): void {
    if (this.#seen !== null && position < this.#seen) return;
    this.#seen = position;
    if (this.role === 'serving') this.#options.onReached(position);
  }
}
