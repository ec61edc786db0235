import { randomUUID } from 'node:crypto';
import type { Counted } from '../event-log/decide-and-append.ts';
import {
  type EventLog,
  type EventMetadata,
  type ExpectedRevision,
  MAX_APPEND_BYTES,
  type NewEvent,
  WrongExpectedRevision,
} from '../event-log/event-log.ts';
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

/** Well below the time after which others take a process for dead (close-abandoned-journals.ts). */
const SURELY_ALIVE_MS = 5 * 60_000;

export interface JournalOptions {
  /** Default: a minute. */
  readonly tallyEveryMs?: number;
  /** Other processes write to the same log, and close the journals of those they take for dead. Default: false. */
  readonly shared?: boolean;
}

/**
 * One process's journal of uses: one append a flush, with all that gathered meanwhile, so that one round trip and one
 * fsync pay for many calls. It is kept in segments, a stream each (journal-segment.ts). What calls write carries its
 * use itself; that, it counts.
 */
export class UsageJournal {
  readonly #log: EventLog;
  readonly #tallyEveryMs: number;
  readonly #shared: boolean;
  #waiting: Waiting[] = [];
  #flushing = false;
  #closed = false;
  #boot = newId();
  #segment: JournalSegment | null = null;
  /** Segments that are getting their last tally. */
  #ending: Promise<unknown> = Promise.resolve();
  #tallyTimer: NodeJS.Timeout | undefined;
  #idle: (() => void) | null = null;

  constructor(log: EventLog, { tallyEveryMs = TALLY_EVERY_MS, shared = false }: JournalOptions = {}) {
    this.#log = log;
    this.#tallyEveryMs = tallyEveryMs;
    this.#shared = shared;
  }

  /** Resolves once the use is durable. @throws UseNotRecorded: at once under stress, or when the log fails */
  record(use: TokenUse, metadata: EventMetadata): Promise<void> {
    return this.#add({ type: 'TokenUsed', data: use }, metadata, use.client_name.length + use.operation.length);
  }

  /** That a long answer has ended. @throws UseNotRecorded */
  recordEnd(end: TokenUseEnded['data'], metadata: EventMetadata): Promise<void> {
    return this.#add({ type: 'TokenUseEnded', data: end }, metadata, end.operation.length);
  }

  /**
   * Counts what a call appends (P9). Nothing is waited for, but by the first append in a segment: what an event names is
   * in the registry of journals before it. @throws UseNotRecorded; as the log's append, surely before anything is stored
   */
  count(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Counted | Promise<Counted> {
    if (this.#closed) throw new UseNotRecorded('the journal is closed');
    const today = utcToday();
    // What names a journal that was closed is counted by nobody.
    if (this.#shared && this.#segment !== null && this.#segment.idleMs > SURELY_ALIVE_MS) this.#renewSegment();
    const segment = this.#segmentOf(today);
    if (!segment.isOpen) return segment.open().then(() => this.count(stream, expected, events));
    const counted = segment.count(stream, expected, events);
    if (segment.isFull) this.#flush();
    else if (this.#tallyTimer === undefined) this.#tallyLater();
    return counted;
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
    this.#endSegment();
    await this.#ending;
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
        this.#abandonSegment();
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
    const tally = (): void => {
      this.#tallyTimer = undefined;
      this.#flush();
    };
    this.#tallyTimer = setTimeout(tally, Math.max(0, dueInMs)).unref();
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
    const today = utcToday();
    if (entries.length === 0 && this.#segment?.day !== today) return this.#endSegment();
    const segment = this.#segmentOf(today);
    try {
      await segment.append(entries);
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision)) throw error;
      // Another process took this one for dead and closed its journal: surely nothing was stored.
      if (this.#segment === segment) this.#abandonSegment();
      if (entries.length > 0) await this.#segmentOf(today).append(entries);
    }
  }

  /** The current one; where its day is over, or there is none, another. */
  #segmentOf(day: string): JournalSegment {
    if (this.#segment !== null && this.#segment.day !== day) this.#endSegment();
    this.#segment ??= new JournalSegment(this.#log, this.#boot, day, this.#tallyEveryMs);
    return this.#segment;
  }

  /** Not waited for: what is being written may take its time. What cannot be tallied now is as in `#abandonSegment`. */
  #endSegment(): void {
    const ended = this.#segment?.close().catch(() => undefined);
    this.#ending = Promise.all([this.#ending, ended]);
    this.#segment = null;
  }

  #renewSegment(): void {
    this.#endSegment();
    this.#boot = newId();
  }

  /** What it has not tallied is tallied as a killed process's (close-abandoned-journals.ts). */
  #abandonSegment(): void {
    this.#boot = newId();
    this.#segment = null;
  }
}

const utcToday = (): string => new Date().toISOString().slice(0, 10);
