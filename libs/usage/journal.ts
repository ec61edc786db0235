import { randomUUID } from 'node:crypto';
import { type EventLog, type EventMetadata, MAX_APPEND_BYTES, WrongExpectedRevision } from '../event-log/event-log.ts';
import { type JournalEntry, JournalSegment } from './journal-segment.ts';
import { type TokenUse, type TokenUsed, type TokenUseEnded } from './use.ts';
import { newId } from '../ids/new-id.ts';

/** The use was not recorded; the call must not be answered with success (P1, P4). */
export class UseNotRecorded extends Error {
  override readonly name = 'UseNotRecorded';
}

interface Waiting {
  readonly entry: JournalEntry;
  readonly bytes: number;
  readonly sinceMs: number;
  readonly resolve: () => void;
  readonly reject: (error: UseNotRecorded) => void;
}

const MOST_WAITING = 10_000;
const LONGEST_WAIT_MS = 2_000;
/** Half of what an append may hold: what is sealed of an event is not counted to the byte, and a tally may go before. */
const MOST_BYTES = MAX_APPEND_BYTES / 2;
const ENVELOPE_BYTES = 1_024;

/** How often a journal says what it holds (P9). */
const TALLY_EVERY_MS = 60_000;

/**
 * One process's journal of uses: one append a flush, with all that gathered meanwhile, so that one round trip and one
 * fsync pay for many calls. It is kept in segments, a stream each (journal-segment.ts).
 */
export class UsageJournal {
  readonly #log: EventLog;
  readonly #tallyEveryMs: number;
  #waiting: Waiting[] = [];
  #flushing = false;
  #closed = false;
  #boot = newId();
  #segment: JournalSegment | null = null;
  #tallyTimer: NodeJS.Timeout | undefined;
  #idle: (() => void) | null = null;

  constructor(log: EventLog, tallyEveryMs = TALLY_EVERY_MS) {
    this.#log = log;
    this.#tallyEveryMs = tallyEveryMs;
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
    const entry = { id: randomUUID(), type, data, metadata } as JournalEntry;
    const bytes = 2 * textBytes + ENVELOPE_BYTES;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, bytes, sinceMs: nowMs, resolve, reject });
      this.#flush();
    });
  }

  /** Waits for what is under way, and tallies it; takes nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#tallyTimer);
    if (this.#flushing) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.#endSegment();
  }

  #flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    // Not at once: calls of the same turn of the event loop share the flush.
    setImmediate(() => void this.#flushAll());
  }

  async #flushAll(): Promise<void> {
    do {
      const batch = this.#take();
      try {
        await this.#append(batch.map(({ entry }) => entry));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // Stored or not, nobody knows: these callers hear 503, and a new segment begins at a certain revision.
        this.#beginSegment();
        const failure = new UseNotRecorded('the log did not take the use', { cause: error });
        for (const { reject } of batch) reject(failure);
      }
    } while (this.#waiting.length > 0);
    this.#flushing = false;
    this.#idle?.();
    this.#tallyLater();
  }

  /** Where calls cease, the tally of the last ones does not wait for more. */
  #tallyLater(): void {
    const dueInMs = this.#segment?.tallyDueInMs() ?? null;
    if (dueInMs === null || this.#closed) return;
    clearTimeout(this.#tallyTimer);
    this.#tallyTimer = setTimeout(() => this.#flush(), Math.max(0, dueInMs)).unref();
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

  async #append(entries: readonly JournalEntry[]): Promise<void> {
    const today = new Date().toISOString().slice(0, 10);
    if (this.#segment !== null && this.#segment.day !== today) await this.#endSegment();
    this.#segment ??= this.#newSegment(today);
    try {
      await this.#segment.append(entries);
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision)) throw error;
      // Another process took this one for dead and closed its journal: surely nothing was stored.
      this.#beginSegment();
      this.#segment = this.#newSegment(today);
      await this.#segment.append(entries);
    }
  }

  #newSegment(day: string): JournalSegment {
    return new JournalSegment(this.#log, this.#boot, day, this.#tallyEveryMs);
  }

  /** What cannot be tallied now is tallied as an abandoned journal (close-abandoned-journals.ts). */
  async #endSegment(): Promise<void> {
    await this.#segment?.close().catch(() => undefined);
    this.#segment = null;
  }

  #beginSegment(): void {
    this.#boot = newId();
    this.#segment = null;
  }
}
