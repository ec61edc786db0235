import { Redis } from 'ioredis';
import {
  type Argument,
  commandOptions,
  type Connection,
  type ConnectionOptions,
  evaluate,
  refuseEviction,
  type Script,
} from './connection.ts';

const LONGEST_RECONNECT_MS = 1_000;

/**
 * One connection to one server, that knows which run of the server it leads to: asked anew on every (re)connect, so what
 * another run certified is not trusted.
 */
export class ServerConnection implements Connection {
  readonly #redis: Redis;
  #runId: string | null = null;
  #reason = 'it is not connected';
  #clustered = false;
  #gathering: Redis['stream'] | null = null;

  private constructor({ url, commandTimeoutMs }: ConnectionOptions) {
    this.#redis = new Redis(url, {
      ...commandOptions(commandTimeoutMs),
      lazyConnect: true,
      enableOfflineQueue: false,
      enableAutoPipelining: false,
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
  static async open(options: ConnectionOptions): Promise<ServerConnection> {
    const connection = new ServerConnection(options);
    try {
      await connection.#redis.connect();
      await connection.#identify();
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  get runId(): string | null {
    return this.#runId;
  }

  get reason(): string {
    return this.#reason;
  }

  /** Whether the server is a node of a Redis Cluster, which is to be asked by `ClusterConnection`. */
  get clustered(): boolean {
    return this.#clustered;
  }

  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    this.#gather();
    return evaluate(this.#redis, script, keys, args);
  }

  close(): void {
    this.#lost('it is closed');
    this.#redis.disconnect();
  }

  /** What is asked in one turn of the event loop goes out in one write, not one each. */
  #gather(): void {
    const { stream } = this.#redis;
    if (this.#gathering === stream || stream === undefined) return;
    this.#gathering = stream;
    stream.cork();
    setImmediate(() => {
      if (this.#gathering === stream) this.#gathering = null;
      stream.uncork();
    });
  }

  #lost(reason: string): void {
    this.#runId = null;
    this.#reason = reason;
  }

  async #identify(): Promise<void> {
    const [server, memory] = await Promise.all([this.#redis.info('server'), this.#redis.info('memory')]);
    refuseEviction(memory);
    const runId = /^run_id:(\S+)/m.exec(server)?.[1];
    if (runId === undefined) throw new Error('Redis does not tell its run_id');
    this.#clustered = /^redis_mode:cluster/m.test(server);
    if (this.#redis.status === 'ready') this.#runId = runId;
  }
}
