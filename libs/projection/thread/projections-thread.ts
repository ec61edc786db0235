import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type { LogReader, Position } from '../../event-log/event-log.ts';
import type { Obstacle, ViewStatus } from '../maintained-view.ts';
import { ReadModelsUnavailable } from '../../read-db/read-models-unavailable.ts';
import type { ReadModel } from '../projection.ts';
import type { RunningProjection } from '../runner.ts';
import type { FromProjections, Question, ToProjections } from './messages.ts';

/** The other thread is told of the head this seldom: it takes many events together anyway. */
const HEAD_PAUSE_MS = 5;

/** After it has ended by itself; doubled up to a minute while it does so again and again. */
const RESTART_MS = 1_000;
const LONGEST_RESTART_MS = 60_000;

/** Share of its time that a busy loop works. */
const BUSY = 0.5;

export interface ProjectionsThreadOptions {
  /** Starts a thread that runs `serveProjections` with these, in this order; another, should it end by itself. */
  readonly startThread: () => Worker;
  readonly projections: readonly Pick<ReadModel, 'name' | 'readsStored'>[];
  readonly log: LogReader;
  readonly onFault: (projection: string, error: Error) => void;
  /** Default: 1000. */
  readonly restartMs?: number;
}

/**
 * Projections that run on a thread of their own, as the gate's thread sees them. Should it end by itself, which is for
 * want of memory more likely than not, it is started again, and goes on where its tables say; what is asked meanwhile fails.
 */
export class ProjectionsThread {
  readonly projections: readonly RunningProjection[];
  readonly #options: ProjectionsThreadOptions;
  readonly #stopping = new AbortController();
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #positions = new Map<string, Position>();
  readonly #started = Promise.withResolvers<void>();
  readonly #running: Promise<void>;
  #telling: Promise<void> = Promise.resolve();
  /** The one that runs them; null: none does, for the moment or for good. */
  #worker: Worker | null = null;
  #nextId = 0;

  private constructor(options: ProjectionsThreadOptions) {
    this.#options = options;
    this.projections = options.projections.map((each) => this.#projection(each));
    this.#running = this.#run();
  }

  /** Resolves when they run. @throws Error when they do not: a database or log out of reach */
  static async start(options: ProjectionsThreadOptions): Promise<ProjectionsThread> {
    const thread = new ProjectionsThread(options);
    await thread.#started.promise;
    thread.#telling = thread.#tellHead();
    return thread;
  }

  /** Ends after the batches under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#telling;
    await this.#running;
  }

  /** One thread after another, until it is stopped; none after a first one that did not come to run. */
  async #run(): Promise<void> {
    const { restartMs = RESTART_MS } = this.#options;
    const { signal } = this.#stopping;
    let pauseMs = restartMs;
    let hasRun = false;
    while (!signal.aborted) {
      const sinceMs = performance.now();
      const error = await this.#serve().catch((reason: unknown) => reason as Error);
      hasRun ||= this.#worker !== null;
      this.#lose(error);
      if (signal.aborted || !hasRun) return;
      if (performance.now() - sinceMs > LONGEST_RESTART_MS) pauseMs = restartMs;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, LONGEST_RESTART_MS);
    }
  }

  /** One thread, until it has ended; why it has. */
  async #serve(): Promise<Error> {
    const worker = this.#options.startThread();
    const { signal } = this.#stopping;
    const stop = (): void => worker.postMessage({ kind: 'stop' } satisfies ToProjections);
    signal.addEventListener('abort', stop);
    let reason = threadEnded();
    worker.on('message', (message: FromProjections) => {
      if (message.kind === 'started') this.#worker = worker;
      this.#hear(message);
    });
    worker.on('error', (error) => (reason = error));
    await new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    signal.removeEventListener('abort', stop);
    return reason;
  }

  #projection({ name, readsStored = false }: Pick<ReadModel, 'name' | 'readsStored'>): RunningProjection {
    const ask = <Answer>(question: Question): Promise<Answer> => this.#ask(name, question) as Promise<Answer>;
    return {
      name,
      readsStored,
      position: () => this.#positions.get(name) ?? null,
      waitFor: (position, timeoutMs) => ask<boolean>({ method: 'waitFor', position, timeoutMs }),
      status: () => ask<ViewStatus>({ method: 'status' }),
      rebuild: (anew) => ask<Obstacle>({ method: 'rebuild', anew }),
      stopRebuild: () => ask<Obstacle>({ method: 'stopRebuild' }),
      verify: () => ask<Obstacle>({ method: 'verify' }),
      retry: (stream) => ask<Obstacle>({ method: 'retry', stream }),
      stop: () => this.stop(),
    };
  }

  #ask(projection: string, question: Question): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    if (this.#worker === null) answer.reject(threadEnded());
    else {
      const id = this.#nextId++;
      this.#answers.set(id, answer);
      this.#say({ kind: 'ask', id, projection, question });
    }
    return answer.promise;
  }

  #hear(message: FromProjections): void {
    switch (message.kind) {
      case 'started':
        for (const [index, { name }] of this.#options.projections.entries())
          this.#reached(name, message.positions[index] ?? null);
        return this.#started.resolve();
      case 'reached':
        return this.#reached(message.projection, message.position);
      case 'answer':
        this.#answers.get(message.id)?.resolve(message.answer);
        this.#answers.delete(message.id);
        return;
      case 'failed':
        this.#answers.get(message.id)?.reject(message.error);
        this.#answers.delete(message.id);
        return;
      case 'fault':
        return this.#options.onFault(message.projection, message.error);
      default:
        return unknownMessage(message);
    }
  }

  #reached(projection: string, position: Position | null): void {
    if (position !== null) this.#positions.set(projection, position);
  }

  /** A subscription to no stream at all brings checkpoints only: where the head is, and nothing to read. */
  async #tellHead(): Promise<void> {
    const { signal } = this.#stopping;
    let before = performance.eventLoopUtilization();
    const after = await this.#options.log.head().catch(() => null);
    for await (const message of this.#options.log.subscribe({ after, streamPrefixes: [], signal })) {
      if (message.kind !== 'checkpoint') continue;
      const now = performance.eventLoopUtilization();
      const busy = performance.eventLoopUtilization(now, before).utilization > BUSY;
      before = now;
      this.#say({ kind: 'head', position: message.position, busy });
      await sleep(HEAD_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #say(message: ToProjections): void {
    this.#worker?.postMessage(message);
  }

  #lose(error: Error): void {
    this.#worker = null;
    this.#started.reject(error);
    if (!this.#stopping.signal.aborted)
      for (const { name } of this.#options.projections) this.#options.onFault(name, error);
    for (const answer of this.#answers.values()) answer.reject(threadEnded(error));
    this.#answers.clear();
  }
}

const threadEnded = (cause?: Error): Error =>
  new ReadModelsUnavailable('the thread of the projections has ended', { cause });

function unknownMessage(message: never): never {
  throw new Error(`unknown message ${JSON.stringify(message)}`);
}
