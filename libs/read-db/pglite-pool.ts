import { Worker } from 'node:worker_threads';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type { PGliteReply, PGliteRequest } from './pglite-worker.ts';

/** What PostgreSQL refused, with its SQLSTATE, as `pg` throws it. */
export class PGliteError extends Error {
  override readonly name = 'PGliteError';
  readonly code: string | undefined;
  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

interface Waiting {
  resolve(reply: { rows: object[]; count: number }): void;
  reject(error: Error): void;
}

/**
 * PGlite in a worker thread, in the shape of a `pg` pool with one client, which is all Kysely's PostgreSQL dialect
 * asks for. PGlite is one session, so whoever holds the client (a transaction) holds the database.
 */
export class PGlitePool implements PostgresPool {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #lost: Error | null = null;
  #turn = Promise.resolve();

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: PGliteReply) => this.#settle(reply));
    worker.on('error', (error: Error) => this.#lose(error));
    worker.on('exit', () => this.#lose(new PGliteError('the PGlite worker has ended', '57P01')));
  }

  /** @throws PGliteError when PGlite cannot open the folder */
  static async open(directory: string): Promise<PGlitePool> {
    // The worker is compiled as this file is: .ts under jest and type stripping, .js in dist.
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    const worker = new Worker(new URL(`./pglite-worker${extension}`, import.meta.url), {
      workerData: { directory },
      execArgv: [],
    });
    const first = await new Promise<PGliteReply>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new PGliteError(`the PGlite worker ended with ${code}`, undefined)));
    });
    if (first.kind === 'failed') throw new PGliteError(first.message, undefined);
    return new PGlitePool(worker);
  }

  async connect(): Promise<PostgresPoolClient> {
    const before = this.#turn;
    let release = (): void => undefined;
    this.#turn = new Promise((resolve) => (release = resolve));
    await before;
    const query = async (sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<object>> => {
      const { rows, count } = await this.#ask(sql, parameters);
      return { command: commandOf(sql), rowCount: count, rows };
    };
    // Kysely's cursors, the other overload, are never asked for.
    return { query: query as PostgresPoolClient['query'], release };
  }

  async end(): Promise<void> {
    await this.#turn;
    if (this.#lost !== null) return;
    const gone = new Promise((resolve) => this.#worker.once('exit', resolve));
    await this.#ask(null, []);
    await this.#worker.terminate();
    await gone;
  }

  #ask(sql: string | null, parameters: readonly unknown[]): Promise<{ rows: object[]; count: number }> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    const request: PGliteRequest = { id: this.#nextId++, sql, parameters };
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  #settle(reply: PGliteReply): void {
    if (reply.kind === 'open' || reply.kind === 'failed') return;
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.kind === 'rows') waiting?.resolve(reply);
    else waiting?.reject(new PGliteError(reply.message, reply.code));
  }

  #lose(error: Error): void {
    this.#lost ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

type Command = PostgresQueryResult<object>['command'];

/** Kysely counts rows for these only. */
function commandOf(sql: string): Command {
  const word = /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase();
  return word === 'INSERT' || word === 'UPDATE' || word === 'DELETE' || word === 'MERGE' ? word : 'SELECT';
}
