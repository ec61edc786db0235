import type { MessagePort } from 'node:worker_threads';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';

/** What a thread asks of PGlite on another one. A message is a list of them: what a turn of the event loop gathered. */
interface Request {
  readonly client: number;
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

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

const BEGINS = /^\s*(begin|start\s+transaction)\b/i;
/** Back to a savepoint a transaction goes on. */
const ENDS = /^\s*(commit|rollback)\b(?!\s+to\b)/i;

/**
 * Lets another thread ask this one's session, until it closes its end of the port. A client has the session for a
 * statement, or from a transaction's begin to its end.
 */
export function servePGlite(port: MessagePort, session: PostgresPool): void {
  const clients = new Map<number, Promise<PostgresPoolClient>>();
  const inTransaction = new Set<number>();
  // Each at once: the turns of this thread's event loop are long, since it has other work.
  const say = (reply: Reply): void => port.postMessage(reply);
  const release = async (client: number): Promise<void> => {
    const held = clients.get(client);
    clients.delete(client);
    inTransaction.delete(client);
    (await held)?.release();
  };
  const answer = async ({ client, id, sql, parameters }: Request): Promise<void> => {
    try {
      let held = clients.get(client);
      if (held === undefined) clients.set(client, (held = session.connect()));
      say({ kind: 'result', id, result: await (await held).query<object>(sql, parameters) });
      if (BEGINS.test(sql)) inTransaction.add(client);
    } catch (error) {
      const { message, code } = error as Error & { code?: string };
      say({ kind: 'error', id, message, code });
    }
    if (ENDS.test(sql)) inTransaction.delete(client);
    if (!inTransaction.has(client)) await release(client);
  };
  port.on('message', (requests: readonly Request[]) => {
    for (const request of requests) void answer(request);
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
  #gathered: Request[] = [];
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
      this.#ask(port, { client, id: this.#nextId++, sql, parameters });
    return { query: query as PostgresPoolClient['query'], release: () => undefined };
  }

  async end(): Promise<void> {
    this.#port?.close();
    await this.#ended();
  }

  /** A client stays with the thread it began on: what it was in the middle of is not gone on with on another. */
  #ask(port: MessagePort | null, request: Request): Promise<PostgresQueryResult<object>> {
    return new Promise((resolve, reject) => {
      if (port === null || port !== this.#port) return reject(threadEnded());
      this.#waiting.set(request.id, { resolve, reject });
      if (this.#gathered.push(request) === 1) setImmediate(() => this.#send());
    });
  }

  /** What a turn of the event loop has asked goes as one message: it wakes the other thread, which costs more than it says. */
  #send(): void {
    const requests = this.#gathered;
    this.#gathered = [];
    if (requests.length > 0) this.#port?.postMessage(requests);
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.kind === 'result') waiting?.resolve(reply.result);
    else waiting?.reject(new PGliteError(reply.message, reply.code));
  }

  #lose(): void {
    this.#port = null;
    this.#gathered = [];
    for (const { reject } of this.#waiting.values()) reject(threadEnded());
    this.#waiting.clear();
  }
}

/** As PostgreSQL says it of a server that was stopped (SQLSTATE 57P01, admin_shutdown). */
const threadEnded = (): PGliteError => new PGliteError('the thread PGlite runs on has ended', '57P01');
