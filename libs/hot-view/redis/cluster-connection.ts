import { Cluster, type Redis } from 'ioredis';
import {
  type Argument,
  ASK_THE_SERVER,
  commandOptions,
  type Connection,
  evaluate,
  MayEvict,
  refuseEviction,
  type Script,
} from './connection.ts';

export interface ClusterConnectionOptions {
  /** Any nodes of the cluster: the others are learned from them. */
  readonly seeds: readonly URL[];
  /** Deadline of each command, redirections included. */
  readonly commandTimeoutMs: number;
}

/** A redirection that leads nowhere is given up within the deadline of its command. */
const MOST_REDIRECTIONS = 8;
const RETRY_WHILE_MIGRATING_MS = 20;
const SLOTS_REFRESH_MS = 5_000;
const LONGEST_RECONNECT_MS = 1_000;

/**
 * A Redis Cluster. ioredis follows `MOVED` and `ASK`, which surely ran nothing; whatever else fails is not sent again.
 * Which node a script ends on is known to that node alone, so scripts ask it for its run.
 */
export class ClusterConnection implements Connection {
  readonly #cluster: Cluster;
  readonly #evicting = new Map<Redis, string>();
  #closed = false;

  private constructor({ seeds, commandTimeoutMs }: ClusterConnectionOptions) {
    const { protocol, username, password } = seeds[0]!;
    this.#cluster = new Cluster(
      seeds.map(({ hostname, port }) => ({ host: hostname, port: Number(port || 6379) })),
      {
        lazyConnect: true,
        enableOfflineQueue: false,
        enableAutoPipelining: false,
        maxRedirections: MOST_REDIRECTIONS,
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 0,
        retryDelayOnTryAgain: RETRY_WHILE_MIGRATING_MS,
        slotsRefreshTimeout: commandTimeoutMs,
        slotsRefreshInterval: SLOTS_REFRESH_MS,
        clusterRetryStrategy: (times) => Math.min(times * 50, LONGEST_RECONNECT_MS),
        // A certificate names hosts; an address would not match it.
        ...(protocol === 'rediss:' && { dnsLookup: (host, found) => found(null, host) }),
        redisOptions: {
          ...commandOptions(commandTimeoutMs),
          ...(username !== '' && { username: decodeURIComponent(username) }),
          ...(password !== '' && { password: decodeURIComponent(password) }),
          ...(protocol === 'rediss:' && { tls: {} }),
        },
      },
    );
    // Told by `reason`; without a listener ioredis prints.
    this.#cluster.on('error', () => {});
    this.#cluster.on('node error', () => {});
    this.#cluster.on('+node', (node: Redis) => {
      node.on('ready', () => void this.#inspect(node).catch(() => {}));
      node.on('end', () => this.#evicting.delete(node));
    });
  }

  /** @throws Error where no node can be reached, they are no cluster, or one may evict keys */
  static async open(options: ClusterConnectionOptions): Promise<ClusterConnection> {
    const connection = new ClusterConnection(options);
    try {
      await connection.#cluster.connect();
      // One that is down is no hindrance: its partitions are not ready, and it is inspected when it comes.
      await Promise.allSettled(connection.#cluster.nodes().map((node) => connection.#inspect(node)));
      const [evicting] = connection.#evicting.values();
      if (evicting !== undefined) throw new MayEvict(evicting);
      return connection;
    } catch (error) {
      connection.close();
      if (error instanceof MayEvict) throw error;
      const hosts = options.seeds.map(({ host }) => host).join(', ');
      throw new Error(`no Redis Cluster answers at ${hosts}`, { cause: error });
    }
  }

  get runId(): string | null {
    return this.reason === '' ? ASK_THE_SERVER : null;
  }

  get reason(): string {
    if (this.#closed) return 'it is closed';
    const [evicting] = this.#evicting.values();
    return evicting ?? (this.#cluster.status === 'ready' ? '' : 'it is not connected');
  }

  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return evaluate(this.#cluster, script, keys, args);
  }

  close(): void {
    this.#closed = true;
    this.#cluster.disconnect();
  }

  async #inspect(node: Redis): Promise<void> {
    try {
      refuseEviction(await node.info('memory'));
      this.#evicting.delete(node);
    } catch (error) {
      if (!(error instanceof MayEvict)) throw error;
      this.#evicting.set(node, error.message);
    }
  }
}
