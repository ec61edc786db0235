import type { MessagePort } from 'node:worker_threads';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';

/** What a thread that asks PGlite and the thread it runs on say to each other. */
type Request =
  /** The client's first one takes its turn at the database. */
  | {
      readonly kind: 'query';
      readonly client: number;
      readonly id: number;
      readonly sql: string;
      readonly parameters: readonly unknown[];
    }
  | { readonly kind: 'release'; readonly client: number };

type Reply =
  | { readonly kind: 'result'; readonly id: number; readonly result: PostgresQueryResult<object> }
  | { readonly kind: 'error'; readonly id: number; readonly message: string; readonly code: string | undefined };

/** What PostgreSQL refused, with its SQLSTATE, as `pg` throws it. */
export class PGliteError extends Error {
  override readonly name = 'PGliteError';
  readonly code: string | undefined;
  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

/** Lets another thread ask this one's session, until it closes its end of the port. */
export function servePGlite(port: MessagePort, session: PostgresPool): void {
  const clients = new Map<number, Promise<PostgresPoolClient>>();
  const say = (reply: Reply): void => port.postMessage(reply);
  const release = async (client: number): Promise<void> => {
    const held = clients.get(client);
    clients.delete(client);
    (await held)?.release();
  };
  const answer = async ({ client, id, sql, parameters }: Request & { kind: 'query' }): Promise<void> => {
    try {
      let held = clients.get(client);
      if (held === undefined) clients.set(client, (held = session.connect()));
      say({ kind: 'result', id, result: await (await held).query<object>(sql, parameters) });
    } catch (error) {
      const { message, code } = error as Error & { code?: string };
      say({ kind: 'error', id, message, code });
    }
  };
  port.on('message', (request: Request) => {
    void (request.kind === 'query' ? answer(request) : release(request.client));
  });
  port.on('close', () => {
    for (const client of clients.keys()) void release(client);
  });
}

interface Waiting {
  resolve(result: PostgresQueryResult<object>): void;
  reject(error: Error): void;
}

/** PGlite on another thread, in the shape of a `pg` pool. */
export class PGlitePool implements PostgresPool {
  readonly #ended: () => Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #port: MessagePort | null = null;
  #nextId = 0;
  #nextClient = 0;

  /** @param ended once the port is closed: resolves when the database is closed too */
  constructor(ended: () => Promise<void>) {
    this.#ended = ended;
  }

  /** Where PGlite is served from now on: at the start, and when its thread was started anew. */
  attach(port: MessagePort): void {
    this.#lose();
    this.#port = port;
    port.on('message', (reply: Reply) => this.#settle(reply));
    port.on('close', () => {
      if (this.#port === port) this.#lose();
    });
  }

  async connect(): Promise<PostgresPoolClient> {
    const client = this.#nextClient++;
    const port = this.#port;
    const query = (sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<object>> =>
      this.#ask(port, client, sql, parameters);
    const release = (): void => port?.postMessage({ kind: 'release', client } satisfies Request);
    return { query: query as PostgresPoolClient['query'], release };
  }

  async end(): Promise<void> {
    this.#port?.close();
    await this.#ended();
  }

  /** A client stays with the thread it began on: what it was in the middle of is not gone on with on another. */
  #ask(
    port: MessagePort | null,
    client: number,
    sql: string,
    parameters: readonly unknown[],
  ): Promise<PostgresQueryResult<object>> {
    return new Promise((resolve, reject) => {
      if (port === null || port !== this.#port) return reject(threadEnded());
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      port.postMessage({ kind: 'query', client, id, sql, parameters } satisfies Request);
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.kind === 'result') waiting?.resolve(reply.result);
    else waiting?.reject(new PGliteError(reply.message, reply.code));
  }

  #lose(): void {
    this.#port = null;
    for (const { reject } of this.#waiting.values()) reject(threadEnded());
    this.#waiting.clear();
  }
}

/** As PostgreSQL says it of a server that was stopped (SQLSTATE 57P01, admin_shutdown). */
const threadEnded = (): PGliteError => new PGliteError('the thread PGlite runs on has ended', '57P01');
