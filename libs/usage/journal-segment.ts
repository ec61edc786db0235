import { randomUUID } from 'node:crypto';
import type { Counted } from '../event-log/decide-and-append.ts';
import type { EventLog, ExpectedRevision, NewEvent } from '../event-log/event-log.ts';
import { ownMetadata } from '../event-log/own-metadata.ts';
import { type JournalOpened, JOURNALS_STREAM, Tallies, UsesOfToken, type UsesTallied } from '../proof/tally.ts';
import { JOURNAL_PREFIX, type TokenUsed, type TokenUseEnded } from './use.ts';
import { WrittenEvents } from './written-events.ts';

/** What a journal holds beside its tallies. */
export type JournalEntry = NewEvent & (TokenUsed | TokenUseEnded);

type TallyEvent = NewEvent<UsesTallied['type'], UsesTallied['data']>;

/** A tally names each of its tokens, and is to fit into one append with what is recorded meanwhile. */
const MOST_TOKENS = 2_000;

/**
 * One stream of a journal: a process's uses of a day, `usage-<boot>-<day>`. One writer, so its expected revision is
 * always exact. It stands in the registry of journals before its first use, and tallies every minute and at its end what
 * it holds and what calls wrote meanwhile, so that what is left out of an export is found (P9).
 */
export class JournalSegment {
  readonly day: string;
  readonly #log: EventLog;
  readonly #stream: string;
  readonly #tallyEveryMs: number;
  readonly #written: WrittenEvents;
  #opening: Promise<void> | null = null;
  #opened = false;
  #turn: Promise<void> = Promise.resolve();
  #revision = -1;
  /** Revision of the next tally's first event. */
  #untalliedFrom = 0;
  #uses = new Tallies(UsesOfToken);
  /** The first use that no tally counts yet; null: all are counted. */
  #first: { readonly at: string; readonly ms: number } | null = null;
  /** When it last got anything, Unix ms. */
  #storedAtMs = Date.now();

  constructor(log: EventLog, boot: string, day: string, tallyEveryMs: number) {
    this.day = day;
    this.#log = log;
    this.#stream = `${JOURNAL_PREFIX}${boot}-${day}`;
    this.#tallyEveryMs = tallyEveryMs;
    this.#written = new WrittenEvents(log, this.#stream);
  }

  get isOpen(): boolean {
    return this.#opened;
  }

  /** Milliseconds since it last got anything. */
  get idleMs(): number {
    return Date.now() - this.#storedAtMs;
  }

  /** Whether a tally is due for the many tokens it will name. */
  get isFull(): boolean {
    return this.#uses.size >= MOST_TOKENS || this.#written.isFull(MOST_TOKENS);
  }

  /** Milliseconds until a tally is due; null: there is nothing to tally. */
  tallyDueInMs(): number | null {
    if (this.isFull) return 0;
    const writtenMs = this.#written.dueInMs(this.#tallyEveryMs);
    if (this.#first === null) return writtenMs;
    const usesMs = this.#first.ms + this.#tallyEveryMs - performance.now();
    return Math.min(usesMs, writtenMs ?? usesMs);
  }

  /** Into the registry, once. @throws as the log's append */
  open(): Promise<void> {
    this.#opening ??= this.#register().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /** Counts an append of events that a call wrote. To be open before: what they name is then in the registry. */
  count(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Counted {
    return this.#written.begin(stream, expected, events);
  }

  /** The entries, and before them the tally of earlier uses where one is due: one append. @throws as the log's append */
  append(entries: readonly JournalEntry[]): Promise<void> {
    return this.#inTurn(async () => {
      await this.open();
      const tally = this.#isTallyDue() ? this.#tally(false) : null;
      if (tally !== null || entries.length > 0) await this.#store(tally, entries);
    });
  }

  /** The last tally, once what is being written has ended. @throws as the log's append */
  async close(): Promise<void> {
    await this.#written.finish();
    await this.#inTurn(async () => {
      if (!this.#opened) return;
      if (this.#written.isBehind) await this.#store(this.#tally(false), []);
      await this.#store(this.#tally(true), []);
    });
  }

  #isTallyDue(): boolean {
    const dueInMs = this.tallyDueInMs();
    if (dueInMs === null || dueInMs > 0) return false;
    const { canBeTallied } = this.#written.endPeriod();
    return canBeTallied || this.#first !== null;
  }

  /** One writer: its appends go one after the other. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #register(): Promise<void> {
    const data = { journal: this.#stream, at: new Date().toISOString() };
    const opened: NewEvent<JournalOpened['type'], JournalOpened['data']> = {
      id: randomUUID(),
      type: 'JournalOpened',
      data,
      metadata: ownMetadata(),
    };
    await this.#log.append(JOURNALS_STREAM, 'any', [opened]);
    this.#opened = true;
    this.#storedAtMs = Date.now();
  }

  async #store(tally: TallyEvent | null, entries: readonly JournalEntry[]): Promise<void> {
    const expected = this.#revision === -1 ? 'no-stream' : this.#revision;
    const { revision } = await this.#log.append(this.#stream, expected, tally === null ? entries : [tally, ...entries]);
    this.#revision = revision;
    this.#storedAtMs = Date.now();
    if (tally !== null) {
      this.#untalliedFrom = revision - entries.length + 1;
      this.#uses = new Tallies(UsesOfToken);
      this.#first = null;
      this.#written.tallied(tally.data.written!);
    }
    for (const { id, type, data } of entries) {
      if (type !== 'TokenUsed') continue;
      this.#first ??= { at: data.time, ms: performance.now() };
      this.#uses.add(data.token, id);
    }
  }

  #tally(last: boolean): TallyEvent {
    const at = new Date().toISOString();
    const { written, since } = this.#written.tally();
    const [earliest = at] = [this.#first?.at, since].filter((time) => typeof time === 'string').toSorted();
    return usesTallied({
      from_revision: this.#untalliedFrom,
      since: earliest,
      tokens: this.#uses.tally(),
      written,
      last,
      at,
    });
  }
}

export const usesTallied = (data: UsesTallied['data']): TallyEvent => ({
  id: randomUUID(),
  type: 'UsesTallied',
  data,
  metadata: ownMetadata(),
});
