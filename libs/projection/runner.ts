import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { LogReader, Position } from '../event-log/event-log.ts';
import type { ReadDb } from '../read-db/read-db.ts';
import { type Build, LostLead } from './build.ts';
import { BuildRunner, LOCK_NOT_AVAILABLE } from './build-runner.ts';
import type { BuildWriter } from './build-writer.ts';
import {
  askRetry,
  changingBuilds,
  createBuild,
  discard,
  prepare,
  readBuilds,
  readServingPosition,
  retriesAsked,
  setBuild,
} from './builds.ts';
import { compareWithServing } from './compare-with-serving.ts';
import type { MaintainedView, Obstacle, ViewStatus } from './maintained-view.ts';
import type { AnyProjection } from './projection.ts';
import { statusOf } from './status.ts';
import { switchTo } from './switch.ts';
import type { ThreadShare } from './thread/thread-share.ts';
import { Waiters } from './waiters.ts';

export interface ProjectionOptions {
  readonly log: LogReader;
  readonly readDb: ReadDb;
  readonly projection: AnyProjection;
  /** False: another process writes it, this one only asks how far it is. Default: true. */
  readonly lead?: boolean;
  /** Most events in one transaction. */
  readonly batchSize?: number;
  /** A fault that will be tried again: a database or log out of reach. */
  readonly onFault?: (error: Error) => void;
  /** Whether others need the CPU now; while nobody waits for it, the read model then takes its time. Default: no. */
  readonly busy?: () => boolean;
  /** What all projections of the thread are kept to together while others need the CPU. Default: nothing. */
  readonly share?: ThreadShare;
  /** The read model has got so far. */
  readonly onReached?: (position: Position) => void;
}

export interface RunningProjection extends MaintainedView {
  /** How far the read model is, as this process knows it; null before the first event. */
  position(): Position | null;
  /** Resolves true once the read model holds everything up to the position, false when it does not in time. */
  waitFor(position: Position, timeoutMs: number): Promise<boolean>;
  /** Ends after the batches under way. */
  stop(): Promise<void>;
}

/** While the gate is busy, bites are rare and large (event-queue.ts). */
const LIVE_BATCH = 1_000;
/** A transaction of a rebuild may hold PGlite's one session this long, roughly: reads wait for it. */
const REBUILD_BATCH = 2_000;
/** How often the builds are looked at for what other processes asked or did. */
const LOOK_MS = 1_000;
/** How often a process that does not lead looks while somebody waits. */
const POLL_MS = 50;

/**
 * Keeps a read model at the head of the log, and rebuilds it beside the one that serves. Resolves when the tables are
 * there. @throws Error when database or log cannot be reached at the start
 */
export async function startProjection(given: ProjectionOptions): Promise<RunningProjection> {
  const { readDb, projection } = given;
  const log = projection.readsStored === true ? (given.log.stored ?? given.log) : given.log;
  const options = { ...given, log };
  await prepare(readDb, projection, log);
  const runner = new Runner(options, await readServingPosition(readDb.db, projection.name));
  runner.start();
  return runner;
}

/** One projection in this process: a runner for each of its builds, and what operators ask. */
class Runner implements RunningProjection {
  readonly name: string;
  readonly readsStored: boolean;
  readonly #options: ProjectionOptions;
  readonly #projection: AnyProjection;
  readonly #stopping = new AbortController();
  readonly #waiters = new Waiters();
  readonly #builds = new Map<number, BuildRunner>();
  #looking: Promise<void> = Promise.resolve();
  #wake: () => void = () => undefined;
  #polling = false;
  #fault: string | null = null;
  #position: Position | null;

  constructor(options: ProjectionOptions, position: Position | null) {
    this.#options = options;
    this.#projection = options.projection;
    this.name = options.projection.name;
    this.readsStored = options.projection.readsStored === true;
    this.#position = position;
  }

  start(): void {
    this.#looking = this.#keepLooking();
  }

  position(): Position | null {
    return this.#position;
  }

  async waitFor(position: Position, timeoutMs: number): Promise<boolean> {
    if (this.#position !== null && this.#position >= position) return true;
    const reached = this.#waiters.wait(position, timeoutMs);
    void this.#poll();
    return await reached;
  }

  async status(): Promise<ViewStatus> {
    const running = [...this.#builds.values()];
    const fault = this.#fault ?? running.find((build) => build.fault !== null)?.fault ?? null;
    const head = await this.#options.log.head().catch(() => null);
    return await statusOf(this.#options.readDb.db, this.#projection, { head, leading: this.#leading, fault });
  }

  async rebuild(anew: boolean): Promise<Obstacle> {
    const logId = await this.#options.log.id();
    await changingBuilds(this.#options.readDb.db, async (trx) => {
      const under = (await readBuilds(trx, this.name)).find(({ role }) => role === 'building');
      if (under !== undefined && !anew && under.version === this.#projection.version) {
        await setBuild(trx, under.build, { paused: false });
        return;
      }
      if (under !== undefined) await discard(trx, under);
      await createBuild(trx, this.#projection, 'building', logId);
    });
    this.#wake();
    return null;
  }

  async stopRebuild(): Promise<Obstacle> {
    const under = await this.#find('building');
    if (under === undefined) return 'No rebuild is under way.';
    await setBuild(this.#options.readDb.db, under.build, { paused: true });
    this.#wake();
    return null;
  }

  async verify(): Promise<Obstacle> {
    const logId = await this.#options.log.id();
    const obstacle = await changingBuilds(this.#options.readDb.db, async (trx): Promise<Obstacle> => {
      const builds = await readBuilds(trx, this.name);
      const serving = builds.find(({ role }) => role === 'serving');
      if (serving?.version !== this.#projection.version)
        return 'What serves is of another version: there is nothing to compare it with. Rebuild it.';
      if (builds.some(({ role }) => role === 'scratch')) return null;
      for (const build of builds) if (build.role === 'verified') await discard(trx, build);
      await createBuild(trx, this.#projection, 'scratch', logId);
      return null;
    });
    this.#wake();
    return obstacle;
  }

  async retry(stream: string): Promise<Obstacle> {
    const serving = await this.#find('serving');
    const asked = serving !== undefined && (await askRetry(this.#options.readDb.db, serving.build, stream));
    if (!asked) return `The stream ${stream} is not parked in ${this.name}.`;
    this.#wake();
    return null;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#looking;
    await Promise.all([...this.#builds.values()].map((build) => build.stop()));
    this.#waiters.giveUp();
  }

  get #leading(): boolean {
    return [...this.#builds.values()].some(({ role, leading }) => role === 'serving' && leading);
  }

  async #find(role: Build['role']): Promise<Build | undefined> {
    return (await readBuilds(this.#options.readDb.db, this.name)).find((build) => build.role === role);
  }

  async #keepLooking(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      try {
        this.#fault = await this.#look();
      } catch (error) {
        this.#failed(error as Error);
      }
      const waiting = new AbortController();
      await Promise.race([sleep(LOOK_MS, undefined, { signal: waiting.signal }).catch(() => undefined), woken]);
      waiting.abort();
    }
  }

  /** Runs the builds that are there to be run, and ends the others. */
  async #look(): Promise<string | null> {
    const { readDb, lead = true } = this.#options;
    const builds = await readBuilds(readDb.db, this.name);
    const serving = builds.find(({ role }) => role === 'serving');
    if (serving !== undefined && !this.#leading) this.#reached(serving.position);
    if (!lead) return null;
    const wanted = new Map(builds.filter((build) => this.#isToRun(build)).map((build) => [build.build, build]));
    for (const [id, runner] of this.#builds) {
      const build = wanted.get(id);
      if (build === undefined) {
        this.#builds.delete(id);
        await runner.stop();
      } else runner.role = build.role;
    }
    for (const build of wanted.values()) if (!this.#builds.has(build.build)) this.#run(build);
    for (const build of builds) {
      if (build.role === 'dropped') await changingBuilds(readDb.db, (trx) => discard(trx, build)).catch(ignoreBusy);
      else if (this.#builds.has(build.build) && (await retriesAsked(readDb.db, build.build)))
        this.#builds.get(build.build)?.retry();
    }
    return serving !== undefined && serving.version > this.#projection.version ? this.#olderThan(serving) : null;
  }

  #olderThan({ version }: Build): string {
    const back = `\`writ projections rebuild ${this.name}\` goes back to version ${this.#projection.version}`;
    return `Version ${version} serves, of a newer release than this one, which cannot write it; ${back}.`;
  }

  #isToRun({ role, version, paused }: Build): boolean {
    return (
      (role === 'serving' || role === 'building' || role === 'scratch') &&
      version === this.#projection.version &&
      !paused
    );
  }

  #run(build: Build): void {
    const { log, readDb, batchSize } = this.#options;
    const runner: BuildRunner = new BuildRunner({
      log,
      readDb,
      projection: this.#projection,
      build,
      batchSize: batchSize ?? (build.role === 'serving' ? LIVE_BATCH : REBUILD_BATCH),
      unhurried: () => !this.#waiters.waiting && (this.#options.busy?.() ?? false),
      share: this.#options.share ?? null,
      onReached: (position) => this.#reached(position),
      onDrained: (db, writer) => this.#drained(db, build, runner, writer),
      onLost: () => this.#wake(),
      onFault: (error) => this.#options.onFault?.(error),
    });
    this.#builds.set(build.build, runner);
  }

  async #drained(db: Kysely<unknown>, build: Build, runner: BuildRunner, writer: BuildWriter): Promise<boolean> {
    if (runner.role === 'scratch') return await compareWithServing(db, this.#projection, build.build, writer);
    if (await switchTo(db, this.#projection, build.build, writer)) {
      runner.role = 'serving';
      this.#wake();
    }
    return false;
  }

  #failed(error: Error): void {
    if (this.#stopping.signal.aborted || error instanceof LostLead) return;
    this.#fault = error.message;
    this.#options.onFault?.(error);
  }

  #reached(position: Position | null): void {
    if (position === null || (this.#position !== null && position < this.#position)) return;
    this.#position = position;
    this.#waiters.reached(position);
    this.#options.onReached?.(position);
  }

  /** While somebody waits and another process leads, its checkpoint is looked at. */
  async #poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    while (this.#waiters.waiting && !this.#stopping.signal.aborted) {
      if (!this.#leading)
        this.#reached(await readServingPosition(this.#options.readDb.db, this.name).catch(() => null));
      await sleep(POLL_MS);
    }
    this.#polling = false;
  }
}

/** Queries under way on it are let end; the next look drops it. */
function ignoreBusy(error: Error & { readonly code?: string }): void {
  if (error.code !== LOCK_NOT_AVAILABLE) throw error;
}
