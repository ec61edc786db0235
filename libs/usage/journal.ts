import { randomUUID } from 'node:crypto';
import { type EventLog, type EventMetadata, MAX_APPEND_BYTES, type NewEvent } from '../event-log/event-log.ts';
import { JOURNAL_PREFIX, type TokenUse, type TokenUsed, type TokenUseEnded } from './use.ts';
import { newId } from '../ids/new-id.ts';

/** The use was not recorded; the call must not be answered with success (P1, P4). */
export class UseNotRecorded extends Error {
  override readonly name = 'UseNotRecorded';
}

interface Waiting {
  readonly event: NewEvent;
  readonly bytes: number;
  readonly sinceMs: number;
  readonly resolve: () => void;
  readonly reject: (error: UseNotRecorded) => void;
}

const MOST_WAITING = 10_000;
const LONGEST_WAIT_MS = 2_000;
/** Half of what an append may hold: an event's envelope is not counted to the byte. */
const MOST_BYTES = MAX_APPEND_BYTES / 2;
const ENVELOPE_BYTES = 256;

/**
 * One process's journal of uses, `usage-<boot>-<day>`: one append a flush, with all that gathered meanwhile, so that
 * one round trip and one fsync pay for many calls. One writer, so its expected revision is always exact.
 */
export class UsageJournal {
  readonly #log: EventLog;
  #waiting: Waiting[] = [];
  #flushing = false;
  #closed = false;
  #boot = newId();
  #day = '';
  #revision = -1;
  #idle: (() => void) | null = null;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Resolves once the use is durable. @throws UseNotRecorded: at once under stress, or when the log fails */
  record(use: TokenUse, metadata: EventMetadata): Promise<void> {
    return this.#add({ type: 'TokenUsed', data: use }, metadata, use.client_name.length + use.operation.length);
  }

  /** That a long answer has ended. @throws UseNotRecorded */
  recordEnd(end: TokenUseEnded['data'], metadata: EventMetadata): Promise<void> {
    return this.#add({ type: 'TokenUseEnded', data: end }, metadata, end.operation.length);
  }

  /** @param textBytes of the members of no fixed length */
  #add({ type, data }: TokenUsed | TokenUseEnded, metadata: EventMetadata, textBytes: number): Promise<void> {
    const nowMs = performance.now();
    const oldest = this.#waiting[0];
    if (this.#closed) return Promise.reject(new UseNotRecorded('the journal is closed'));
    if (this.#waiting.length >= MOST_WAITING || (oldest !== undefined && nowMs - oldest.sinceMs > LONGEST_WAIT_MS)) {
      return Promise.reject(new UseNotRecorded('the journal is full'));
    }
    const event: NewEvent = { id: randomUUID(), type, data, metadata };
    const bytes = textBytes + 2 * ENVELOPE_BYTES;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, bytes, sinceMs: nowMs, resolve, reject });
      if (this.#flushing) return;
      this.#flushing = true;
      // Not at once: calls of the same turn of the event loop share the flush.
      setImmediate(() => void this.#flushAll());
    });
  }

  /** Waits for what is under way; takes nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#flushing) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  async #flushAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        await this.#append(batch.map(({ event }) => event));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // Stored or not, nobody knows: these callers hear 503, and a new segment begins at a certain revision.
        this.#beginSegment();
        const failure = new UseNotRecorded('the log did not take the use', { cause: error });
        for (const { reject } of batch) reject(failure);
      }
    }
    this.#flushing = false;
    this.#idle?.();
  }

  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { bytes: size } of this.#waiting) {
      bytes += size;
      if (count > 0 && bytes > MOST_BYTES) break;
      count++;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count);
    return batch;
  }

  async #append(events: readonly NewEvent[]): Promise<void> {
    const today = new Date().toISOString().slice(0, 10);
    if (today !== this.#day) {
      this.#day = today;
      this.#revision = -1;
    }
    const stream = `${JOURNAL_PREFIX}${this.#boot}-${this.#day}`;
    const { revision } = await this.#log.append(stream, this.#revision === -1 ? 'no-stream' : this.#revision, events);
    this.#revision = revision;
  }

  #beginSegment(): void {
    this.#boot = newId();
    this.#revision = -1;
  }
}
