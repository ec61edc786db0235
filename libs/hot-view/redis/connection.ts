import { hash } from 'node:crypto';
import { Redis, ReplyError } from 'ioredis';

export interface ConnectionOptions {
  readonly url: string;
  /** Deadline of each command. */
  readonly commandTimeoutMs: number;
}

/** A Lua script and the name the server knows it by, once it has seen it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

export const script = (source: string): Script => ({ source, sha: hash('sha1', source) });

export type Argument = string | number;

const CONNECT_TIMEOUT_MS = 2_000;
/** How long a closed connection may keep the process. */
const DISCONNECT_TIMEOUT_MS = 200;
const LONGEST_RECONNECT_MS = 1_000;

/**
 * One connection that never queues while it is down and never sends twice, and that knows which run of the server it
 * leads to: asked anew on every (re)connect, so what another run certified is not trusted.
 */
export class Connection {
  readonly #redis: Redis;
  #runId: string | null = null;
  #reason = 'it is not connected';

  private constructor({ url, commandTimeoutMs }: ConnectionOptions) {
    this.#redis = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      enableAutoPipelining: false,
      commandTimeout: commandTimeoutMs,
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      retryStrategy: (times) => Math.min(times * 50, LONGEST_RECONNECT_MS),
    });
    // Told by `reason`; without a listener ioredis prints.
    this.#redis.on('error', () => {});
    this.#redis.on('close', () => this.#lost('it is not connected'));
    this.#redis.on('ready', () => {
      this.#identify().catch((error: Error) => {
        this.#lost(error.message);
        // Another try, from the beginning.
        if (this.#redis.status === 'ready') this.#redis.disconnect(true);
      });
    });
  }

  /** @throws Error where the server cannot be reached, or may evict keys */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(options);
    try {
      await connection.#redis.connect();
      await connection.#identify();
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Of the server's process (`INFO server`); null while unknown. */
  get runId(): string | null {
    return this.#runId;
  }

  /** Why `runId` is null. */
  get reason(): string {
    return this.#reason;
  }

  /** Runs a script in one round trip, two where the server has not seen it yet. @throws Error: it may have run or not */
  async run({ source, sha }: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      // Only what surely did not run is sent again.
      if (!(error instanceof ReplyError) || !(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return await this.#redis.eval(source, keys.length, ...keys, ...args);
    }
  }

  hget(key: string, field: string): Promise<string | null> {
    return this.#redis.hget(key, field);
  }

  async setField(key: string, field: string, value: string): Promise<void> {
    await this.#redis.hset(key, field, value);
  }

  close(): void {
    this.#lost('it is closed');
    this.#redis.disconnect();
  }

  #lost(reason: string): void {
    this.#runId = null;
    this.#reason = reason;
  }

  async #identify(): Promise<void> {
    const [server, memory] = await Promise.all([this.#redis.info('server'), this.#redis.info('memory')]);
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
    if (policy !== 'noeviction')
      throw new Error(
        `Redis must run with maxmemory-policy noeviction, not ${policy}: an evicted token or window is a wrong answer`,
      );
    const runId = /^run_id:(\S+)/m.exec(server)?.[1];
    if (runId === undefined) throw new Error('Redis does not tell its run_id');
    if (this.#redis.status === 'ready') this.#runId = runId;
  }
}
