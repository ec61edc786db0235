import { setTimeout as sleep } from 'node:timers/promises';
import type { LogReader, Position, RecordedEvent, SubscriptionMessage } from '../event-log/event-log.ts';

/** Events to apply together, and the position that is reached with them; null: nothing came in time. */
export interface Batch {
  readonly events: readonly RecordedEvent[];
  readonly position: Position | null;
}

/** Live events are fetched this seldom: many share one read and one transaction. */
const LIVE_PAUSE_MS = 20;
/**
 * While the gate is busy and nobody waits for the read model, so many pauses together: a bite's own cost (a read, three
 * statements, two wake-ups) is then shared by all of 200 ms, and the CPU left to the gate.
 */
const BUSY_PAUSES = 10;
/** A message with this many events says that more are waiting. */
const BEHIND = 250;
/** Beyond this the subscription waits. */
const MOST_QUEUED = 2_000;

/**
 * A subscription that is read ahead while the batch before is written: single live events that arrive meanwhile are
 * committed together. Filtered by the log where its checkpoints still reach the head: events that concern others are
 * then not even parsed.
 */
export class EventQueue {
  readonly #ending = new AbortController();
  readonly #pump: Promise<void>;
  readonly #unhurried: () => boolean;
  #events: RecordedEvent[] = [];
  /** Reached once all that is queued is applied. */
  #position: Position | null = null;
  #live = false;
  #more = false;
  #ended = false;
  #failure: Error | null = null;
  #wakeTaker: (() => void) | null = null;
  #wakePump: (() => void) | null = null;

  /** @param unhurried whether others need the CPU and nobody waits for the read model to get further */
  constructor(
    log: LogReader,
    after: Position | null,
    streamPrefixes: readonly string[] | null,
    signal: AbortSignal,
    unhurried: () => boolean = () => false,
  ) {
    this.#unhurried = unhurried;
    if (signal.aborted) this.#ending.abort();
    signal.addEventListener('abort', this.#abort, { once: true });
    this.#ending.signal.addEventListener('abort', () => signal.removeEventListener('abort', this.#abort));
    const filter = streamPrefixes === null ? {} : { streamPrefixes };
    this.#pump = this.#read(log.subscribe({ after, ...filter, signal: this.#ending.signal }));
  }

  /** Whether the log's head was reached and nothing waits to be taken. */
  get drained(): boolean {
    return this.#live && this.#events.length === 0;
  }

  /**
   * The next events, as many as are there and at most `most`; waits for the first one, not longer than `timeoutMs`.
   * Null at the end. @throws what the subscription threw
   */
  async take(most: number, timeoutMs: number | null): Promise<Batch | null> {
    if (!this.#ready()) await this.#waitForEvents(timeoutMs);
    if (this.#failure !== null) throw this.#failure;
    if (this.#ended) return null;
    const events = this.#events.slice(0, most);
    this.#events = this.#events.slice(most);
    const position = this.#events.length > 0 ? (events.at(-1)?.position ?? null) : this.#position;
    if (this.#events.length === 0) this.#position = null;
    this.#wakePump?.();
    return { events, position };
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#pump;
  }

  readonly #abort = (): void => {
    this.#ending.abort();
    this.#ended = true;
    this.#wakeTaker?.();
    this.#wakePump?.();
  };

  async #read(messages: AsyncIterable<SubscriptionMessage>): Promise<void> {
    try {
      for await (const message of messages) {
        if (this.#ending.signal.aborted) break;
        this.#queue(message);
        this.#wakeTaker?.();
        if (message.kind === 'caught-up') this.#live = true;
        else if (this.#live && !this.#behind(message)) await this.#pause();
        while (this.#events.length >= MOST_QUEUED && !this.#ending.signal.aborted) await this.#waitForRoom();
      }
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#failure = error as Error;
    }
    this.#ended = true;
    this.#wakeTaker?.();
  }

  #queue(message: SubscriptionMessage): void {
    if (message.kind === 'events') {
      for (const event of message.events) this.#events.push(event);
      this.#position = message.events.at(-1)?.position ?? this.#position;
    } else if (message.position !== null && (this.#position === null || message.position > this.#position)) {
      this.#position = message.position;
    }
  }

  /** Large messages, and the checkpoint that follows each, are read one right after the other. */
  #behind(message: SubscriptionMessage): boolean {
    const more = message.kind === 'events' ? message.events.length >= BEHIND : this.#more;
    this.#more = more && message.kind === 'events';
    return more;
  }

  async #pause(): Promise<void> {
    for (let pauses = 0; pauses < BUSY_PAUSES && !this.#ending.signal.aborted; pauses++) {
      await sleep(LIVE_PAUSE_MS, undefined, { signal: this.#ending.signal }).catch(() => undefined);
      if (!this.#unhurried()) return;
    }
  }

  #ready(): boolean {
    return this.#events.length > 0 || this.#position !== null || this.#ended;
  }

  #waitForRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakePump = resolve;
      this.#ending.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #waitForEvents(timeoutMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === null ? undefined : setTimeout(resolve, timeoutMs);
      this.#wakeTaker = () => {
        clearTimeout(timer);
        this.#wakeTaker = null;
        resolve();
      };
    });
  }
}
