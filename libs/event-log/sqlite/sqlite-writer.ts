import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { startWorker } from '../../threads/start-worker.ts';
import { type Appended, LogUnavailable, OutcomeUnknown, WrongExpectedRevision } from '../event-log.ts';
import type {
  AppendRequest,
  AppendResult,
  FromWriter,
  ToWriter,
  TruncateResult,
  WriterSettings,
} from './writer-messages.ts';

interface Waiting {
  readonly request: AppendRequest;
  resolve(appended: Appended): void;
  reject(error: Error): void;
}

/** Told after a commit: the streams that were written to, and the head; null: perhaps something was stored. */
export type OnCommit = (streams: readonly string[], position: number | null) => void;

/** Bounds one flush, so that an append never waits long for the one ahead of it. */
const APPENDS_PER_FLUSH = 2_000;

/**
 * Group commit: the appends of one tick go to the writer's thread as one transaction with one fsync; while that is
 * under way the next ones gather.
 */
export class SqliteWriter {
  readonly #worker: Worker;
  #onCommit: OnCommit = () => undefined;
  #gathering: Waiting[] = [];
  #flushing: Waiting[] = [];
  #scheduled = false;
  #stopped: string | null = null;
  #idle: (() => void) | null = null;
  /** Who waits for a part of a truncation, in the order asked. */
  readonly #truncating: ((result: TruncateResult) => void)[] = [];

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Creates the file if there is none. @throws LogUnavailable */
  static async start(settings: WriterSettings): Promise<SqliteWriter> {
    const worker = startWorker(import.meta.url, 'sqlite-writer.worker', settings);
    await ready(worker);
    const writer = new SqliteWriter(worker);
    worker.on('message', (message: FromWriter) => {
      if (message.kind === 'flushed') writer.#settle(message.results);
      if (message.kind === 'truncated') writer.#truncating.shift()?.(message.result);
    });
    worker.on('error', (error) => writer.#stop(`the log's writer failed: ${error.message}`));
    worker.on('exit', () => writer.#stop("the log's writer has ended"));
    // An idle log does not keep a process alive; an append in flight does.
    worker.unref();
    return writer;
  }

  onCommit(listener: OnCommit): void {
    this.#onCommit = listener;
  }

  append(request: AppendRequest): Promise<Appended> {
    if (this.#stopped !== null) return Promise.reject(new LogUnavailable(this.#stopped));
    return new Promise((resolve, reject) => {
      this.#gathering.push({ request, resolve, reject });
      this.#schedule();
    });
  }

  /** Part by part, so that appends go on between. @throws LogUnavailable */
  async truncate(stream: string, before: number): Promise<void> {
    for (;;) {
      if (this.#stopped !== null) throw new LogUnavailable(this.#stopped);
      const part = new Promise<TruncateResult>((resolve) => this.#truncating.push(resolve));
      this.#worker.postMessage({ kind: 'truncate', stream, before } satisfies ToWriter);
      const result = await part;
      if (result.kind === 'failed') throw new LogUnavailable(result.reason);
      if (result.kind === 'done') return;
    }
  }

  /** Ends the thread at once, as a crash would. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Waits for the appends under way; refuses later ones. */
  async close(): Promise<void> {
    this.#stopped ??= 'the log is closed';
    if (this.#gathering.length + this.#flushing.length > 0) await new Promise<void>((done) => (this.#idle = done));
    if (this.#worker.threadId === -1) return;
    this.#worker.ref();
    const exited = once(this.#worker, 'exit');
    this.#worker.postMessage({ kind: 'close' } satisfies ToWriter);
    await exited;
  }

  #schedule(): void {
    if (this.#scheduled || this.#flushing.length > 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    this.#flushing = this.#gathering.splice(0, APPENDS_PER_FLUSH);
    if (this.#flushing.length === 0) return;
    this.#worker.ref();
    const appends = this.#flushing.map(({ request }) => request);
    this.#worker.postMessage({ kind: 'flush', appends } satisfies ToWriter);
  }

  #settle(results: readonly AppendResult[]): void {
    const settled = this.#flushing;
    this.#flushing = [];
    this.#worker.unref();
    if (this.#gathering.length > 0) this.#flush();
    const stored = new Set<string>();
    let position: number | null = 0;
    for (const [index, waiting] of settled.entries()) {
      const result = results[index];
      if (result?.kind === 'appended' && position !== null) position = Math.max(position, result.position);
      if (result?.kind === 'unknown') position = null;
      if (result?.kind === 'appended' || result?.kind === 'unknown') stored.add(waiting.request.stream);
      settle(waiting, result);
    }
    if (stored.size > 0) this.#onCommit([...stored], position);
    this.#endIfIdle();
  }

  #stop(reason: string): void {
    this.#stopped ??= reason;
    const unknown = this.#flushing.splice(0);
    for (const { reject } of unknown) reject(new OutcomeUnknown(reason));
    if (unknown.length > 0) this.#onCommit([...new Set(unknown.map(({ request }) => request.stream))], null);
    for (const { reject } of this.#gathering.splice(0)) reject(new LogUnavailable(reason));
    for (const resolve of this.#truncating.splice(0)) resolve({ kind: 'failed', reason });
    this.#endIfIdle();
  }

  #endIfIdle(): void {
    if (this.#gathering.length + this.#flushing.length === 0) this.#idle?.();
  }
}

/** Resolves when the thread can write. Ends it otherwise. @throws LogUnavailable */
export async function ready(worker: Worker): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  const exited = once(worker, 'exit', { signal }).then(([code]): FromWriter => {
    return { kind: 'broken', reason: `it ended with code ${code as number}` };
  });
  const spoken = once(worker, 'message', { signal }).then(([message]) => message as FromWriter);
  const first = await Promise.race([spoken, exited]).catch((error: unknown): FromWriter => {
    return { kind: 'broken', reason: error instanceof Error ? error.message : String(error) };
  });
  settled.abort();
  if (first.kind !== 'broken') return;
  await worker.terminate();
  throw new LogUnavailable(`The log cannot be opened: ${first.reason}.`);
}

function settle({ request, resolve, reject }: Waiting, result: AppendResult | undefined): void {
  switch (result?.kind) {
    case 'appended':
      return resolve({ revision: result.revision, position: result.position });
    case 'wrong-revision':
      return reject(new WrongExpectedRevision(request.stream, request.expected, result.actual));
    case 'failed':
      return reject(new LogUnavailable(result.reason));
    case 'unknown':
    case undefined:
      return reject(new OutcomeUnknown(result?.reason ?? "the log's writer gave no answer"));
  }
}
