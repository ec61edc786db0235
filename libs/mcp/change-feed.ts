import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, Position, RecordedEvent } from '../event-log/event-log.ts';

/** What happens in the log, as far as open streams must know of it at once. */
export interface ChangeFeed {
  /** Whether the feed was known to be at the log's head within the last two seconds. */
  isLive(): boolean;
  /** Returns how to stop listening. */
  listen(listener: FeedListener): () => void;
  stop(): void;
}

export interface FeedListener {
  event(event: RecordedEvent): void;
  /** Said once, when the feed has not been live for two seconds; what it may have missed is unknown. */
  down(): void;
}

export interface FeedOptions {
  readonly log: EventLog;
  readonly streamPrefixes: readonly string[];
  readonly onFault: (error: Error) => void;
}

const BEAT_MS = 500;
const DEAD_AFTER_MS = 2_000;
const RETRY_MS = 250;

/** Follows some streams of the log from its head on, and knows whether it still does. */
export function followChanges(options: FeedOptions): ChangeFeed {
  const feed = new LogFeed(options);
  feed.start();
  return feed;
}

class LogFeed implements ChangeFeed {
  readonly #options: FeedOptions;
  readonly #listeners = new Set<FeedListener>();
  readonly #stopping = new AbortController();
  /** Everything up to here was heard; null: nothing yet. */
  #position: Position | null = null;
  #subscribed = false;
  #liveAtMs = -Infinity;
  #down = true;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#follow();
    void this.#beat();
    void this.#watch();
  }

  isLive(): boolean {
    return performance.now() - this.#liveAtMs < DEAD_AFTER_MS;
  }

  listen(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Its loops end by themselves: one may hang in a log that does not answer. */
  stop(): void {
    this.#stopping.abort();
  }

  async #follow(): Promise<void> {
    const { log, streamPrefixes, onFault } = this.#options;
    const { signal } = this.#stopping;
    let from: Position | null | undefined;
    while (!signal.aborted) {
      try {
        from = this.#position = from === undefined ? await log.head() : from;
        this.#subscribed = true;
        for await (const message of log.subscribe({ after: from, streamPrefixes, signal })) {
          if (message.kind === 'events') for (const event of message.events) this.#tell(event);
          from = message.kind === 'events' ? message.events.at(-1)!.position : (message.position ?? from);
          this.#position = from;
        }
      } catch (error) {
        if (!signal.aborted) onFault(error as Error);
      }
      this.#subscribed = false;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A subscription that is cut off is merely silent: the log is asked where it is, and whether the feed is there too. */
  async #beat(): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#stopping;
    let seen: Position | null = null;
    while (!signal.aborted) {
      try {
        const head = await log.head();
        if (this.#subscribed && this.#hasReached(seen)) this.#liveAtMs = performance.now();
        seen = head;
      } catch {
        // Not live, then. Why is said by the one that follows.
      }
      await sleep(BEAT_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Where checkpoints are sparse, a quiet feed cannot tell how far it is: that the log answers must do. */
  #hasReached(head: Position | null): boolean {
    if (this.#options.log.filteredCheckpoints === 'sparse' || head === null) return true;
    return this.#position !== null && this.#position >= head;
  }

  /** A clock of its own: a log that does not answer holds up the beat. */
  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (this.isLive()) this.#down = false;
      else if (!this.#down) {
        this.#down = true;
        for (const listener of this.#listeners) listener.down();
      }
      await sleep(BEAT_MS / 2, undefined, { signal }).catch(() => undefined);
    }
  }

  #tell(event: RecordedEvent): void {
    for (const listener of this.#listeners) listener.event(event);
  }
}
