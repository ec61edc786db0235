import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '../../libs/event-log/event-log.ts';
import { ViewUnavailable } from '../../libs/hot-view/hot-view.ts';
import type { RecordedCeilingUse, RecordedUse } from '../../libs/hot-view/maintenance.ts';
import { partitionOf, partitionOfWorkspace } from '../../libs/hot-view/redis/keys.ts';
import { type Building, EVERY_PARTITION, type Heard } from '../../libs/hot-view/redis/partitions.ts';
import { NOT_FOLLOWING } from '../../libs/hot-view/redis/prelude.lua.ts';
import type { RedisHotView } from '../../libs/hot-view/redis/redis-hot-view.ts';
import { type Follower, type FollowOptions, putEvent, rebuild, type TokenSink } from './follow.ts';
import { FOLLOWED_PREFIXES } from './fold-view.ts';
import { recentUses } from './recent-uses.ts';

export interface FollowRedisOptions extends Omit<FollowOptions, 'view'> {
  readonly view: RedisHotView;
  /** Default: 250. */
  readonly beatMs?: number;
  /**
   * How long a use may wait for its record: before windows are counted from the log, what was metered on a view since
   * lost has been recorded or will never be answered. Default: 5000.
   */
  readonly appendDeadlineMs?: number;
}

const BEAT_MS = 250;
const APPEND_DEADLINE_MS = 5_000;
const RETRY_MS = 250;
/** Of so many beats, one asks the log whether it is still there: a subscription is silent when it is cut off. */
const BEATS_A_QUESTION = 4;

/**
 * Builds the shared view from the log, certifies it, keeps it at the log's head and beats. Each partition is lost and
 * built again on its own: in a cluster the others stand meanwhile. Any number of processes do so beside each other.
 * Resolves once what can be reached is certified for the first time; retries until then.
 */
export async function followIntoRedis(options: FollowRedisOptions): Promise<Follower> {
  const stopping = new AbortController();
  const following = new Following(options, stopping.signal);
  const ended = Promise.all([following.follow(), following.beat(), following.build()]);
  await Promise.race([following.certified, ended]);
  return {
    position: () => following.position,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

class Following {
  readonly #options: FollowRedisOptions;
  readonly #signal: AbortSignal;
  readonly #first = Promise.withResolvers<void>();
  /** Partitions not known to hold all the log says up to `#position`: not beaten by this follower until it has built them. */
  readonly #behind = new Set(EVERY_PARTITION);
  /** Those a write did not reach since their building began. */
  readonly #missed = new Set<number>();
  #position: Position | null = null;
  #caughtUp = false;

  constructor(options: FollowRedisOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  get position(): Position | null {
    return this.#position;
  }

  get certified(): Promise<void> {
    return this.#first.promise;
  }

  /** Writes what the log says from now on; where it broke off it goes on. */
  async follow(): Promise<void> {
    const { log } = this.#options;
    const sink = this.#forgivingSink();
    let begun = false;
    await this.#repeat(RETRY_MS, async () => {
      if (!begun) this.#position = await log.head();
      begun = true;
      const subscription = { after: this.#position, streamPrefixes: FOLLOWED_PREFIXES, signal: this.#signal };
      try {
        for await (const message of log.subscribe(subscription)) {
          if (message.kind === 'events') {
            for (const event of message.events) {
              await putEvent(sink, event);
              this.#position = event.position;
            }
            continue;
          }
          this.#position = message.position ?? this.#position;
          if (message.kind === 'caught-up') this.#caughtUp = true;
        }
      } finally {
        this.#caughtUp = false;
      }
    });
  }

  /** Says so. Log or view out of reach: no beat, and the view grows stale by itself. */
  async beat(): Promise<void> {
    const { log, view, beatMs = BEAT_MS, onFault } = this.#options;
    let count = 0;
    await this.#repeat(beatMs, async () => {
      if (!this.#caughtUp) return;
      if (++count % BEATS_A_QUESTION === 0) await log.head();
      const followed = EVERY_PARTITION.filter((partition) => !this.#behind.has(partition));
      const { doubts, unreached } = await view.partitions.beat(this.#position, followed);
      for (const partition of doubts.keys()) this.#behind.add(partition);
      const [failure] = unreached.values();
      if (failure !== undefined) onFault(failure);
    });
  }

  /** Builds and certifies what is behind. */
  async build(): Promise<void> {
    const { view, catalogues } = this.#options;
    await this.#repeat(this.#options.beatMs ?? BEAT_MS, async () => {
      if (!this.#caughtUp || this.#behind.size === 0) return;
      // The mark first: whatever is lost from here on takes it away.
      const building = await view.partitions.begin(catalogues.digest, [...this.#behind]);
      for (const partition of building.partitions) this.#missed.delete(partition);
      await this.#buildPartitions(building);
      const whole = building.partitions.filter((partition) => !this.#missed.has(partition));
      const certified = await view.partitions.certify(this.#position, { ...building, partitions: whole });
      for (const partition of certified) if (!this.#missed.has(partition)) this.#behind.delete(partition);
      if (certified.length === 0) throw new ViewUnavailable('what was built is gone');
      this.#first.resolve();
    });
  }

  async #buildPartitions({ partitions }: Building): Promise<void> {
    const { log, view, appendDeadlineMs = APPEND_DEADLINE_MS } = this.#options;
    const { doubts } = await view.partitions.doubts(partitions);
    const windowsLost = [...doubts.values()].some((doubt) => doubt !== NOT_FOLLOWING);
    if (windowsLost && (await log.head()) !== null) {
      await sleep(appendDeadlineMs, undefined, { signal: this.#signal });
    }
    const among = new Set(partitions);
    const concerns = (token: string): boolean => among.has(partitionOf(token));
    await rebuild({ ...this.#options, view: buildingSink(view, partitions) }, concerns);
    const nowMs = this.#options.clock();
    const uses: RecordedUse[] = [];
    const ceilingUses: RecordedCeilingUse[] = [];
    for await (const { use, event } of recentUses(log, nowMs)) {
      const { token, workspace, budget, cost, window_second: windowSecond, ceiling_second: ceilingSecond } = use;
      // The second it was metered in, exactly: that of a partition that stands is recognised by it.
      // One that does not may have been struck by a leap of its server's clock, by which nothing lies in the window.
      const recordedAgoSeconds = Math.max(0, Math.floor((nowMs - event.recordedAt) / 1000));
      const agoIn = (partition: number) => (doubts.has(partition) ? { recordedAgoSeconds } : {});
      if (concerns(token)) uses.push({ token, budget, cost, windowSecond, ...agoIn(partitionOf(token)) });
      if (ceilingSecond === undefined) continue;
      const partition = partitionOfWorkspace(workspace);
      if (among.has(partition))
        ceilingUses.push({ workspace, budget, cost, windowSecond: ceilingSecond, ...agoIn(partition) });
    }
    await view.refill(uses);
    await view.refillCeilings(ceilingUses);
  }

  /** One server that cannot be written to does not hold up the others: its partitions are behind. */
  #forgivingSink(): TokenSink {
    const { view, onFault } = this.#options;
    const sink = buildingSink(view, EVERY_PARTITION);
    const miss = (partitions: Iterable<number>, error: unknown): void => {
      for (const partition of partitions) {
        this.#behind.add(partition);
        this.#missed.add(partition);
      }
      onFault(error as Error);
    };
    const missUnreached = ({ unreached }: Heard): void => {
      const [failure] = unreached.values();
      if (failure !== undefined) miss(unreached.keys(), failure);
    };
    const unlessMissed = async (ids: readonly string[], write: () => void | Promise<void>): Promise<void> => {
      try {
        await write();
      } catch (error) {
        miss(ids.map(partitionOf), error);
      }
    };
    return {
      ...this.#options,
      view: {
        put: (tokens) =>
          unlessMissed(
            tokens.map(({ id }) => id),
            () => sink.put(tokens),
          ),
        putCompanies: async (companies) => missUnreached(await view.partitions.putCompanies(companies)),
        putWorkspaces: async (workspaces) => missUnreached(await view.partitions.putWorkspaces(workspaces)),
        park: (id, version) => unlessMissed([id], () => sink.park(id, version)),
      },
    };
  }

  async #repeat(pauseMs: number, step: () => Promise<void>): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await step();
      } catch (error) {
        if (!this.#signal.aborted) this.#options.onFault(error as Error);
      }
      await sleep(pauseMs, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }
}

/** A view that is being built need not vouch for what is written. */
const buildingSink = (view: RedisHotView, partitions: readonly number[]): TokenSink['view'] => ({
  put: (tokens) => view.build(tokens),
  putCompanies: async (companies) => reachedAll(await view.partitions.putCompanies(companies, partitions)),
  putWorkspaces: async (workspaces) => reachedAll(await view.partitions.putWorkspaces(workspaces, partitions)),
  park: (id, version) => view.park(id, version),
});

/** @throws ViewUnavailable */
function reachedAll({ unreached }: Heard): void {
  const [failure] = unreached.values();
  if (failure !== undefined) throw failure;
}
