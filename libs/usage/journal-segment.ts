import { randomUUID } from 'node:crypto';
import type { EventLog, NewEvent } from '../event-log/event-log.ts';
import { ownMetadata } from '../event-log/own-metadata.ts';
import { type JournalOpened, JOURNALS_STREAM, tallyName, UsesOfToken, type UsesTallied } from '../proof/tally.ts';
import { JOURNAL_PREFIX, type TokenUsed, type TokenUseEnded } from './use.ts';

/** What a journal holds beside its tallies. */
export type JournalEntry = NewEvent & (TokenUsed | TokenUseEnded);

/**
 * One stream of a journal: a process's uses of a day, `usage-<boot>-<day>`. One writer, so its expected revision is
 * always exact. It stands in the registry of journals before its first use, and tallies what it holds every minute and
 * at its end, so that a use left out of an export is found (P9).
 */
export class JournalSegment {
  readonly day: string;
  readonly #log: EventLog;
  readonly #stream: string;
  readonly #tallyEveryMs: number;
  #opened = false;
  #revision = -1;
  /** Revision of the next tally's first event. */
  #untalliedFrom = 0;
  #uses = new Map<string, UsesOfToken>();
  /** The first use that no tally counts yet; null: all are counted. */
  #first: { readonly at: string; readonly ms: number } | null = null;

  constructor(log: EventLog, boot: string, day: string, tallyEveryMs: number) {
    this.day = day;
    this.#log = log;
    this.#stream = `${JOURNAL_PREFIX}${boot}-${day}`;
    this.#tallyEveryMs = tallyEveryMs;
  }

  /** Milliseconds until a tally is due; null: there is nothing to tally. */
  tallyDueInMs(): number | null {
    return this.#first === null ? null : this.#first.ms + this.#tallyEveryMs - performance.now();
  }

  /** The entries, and before them the tally of earlier uses where one is due: one append. @throws as the log's append */
  async append(entries: readonly JournalEntry[]): Promise<void> {
    await this.#open();
    const dueInMs = this.tallyDueInMs();
    if (dueInMs !== null && dueInMs <= 0) await this.#store([this.#tally(false), ...entries], entries);
    else if (entries.length > 0) await this.#store(entries, entries);
  }

  /** The last tally. @throws as the log's append */
  async close(): Promise<void> {
    if (this.#opened) await this.#store([this.#tally(true)], []);
  }

  async #open(): Promise<void> {
    if (this.#opened) return;
    const data = { journal: this.#stream, at: new Date().toISOString() };
    const opened: NewEvent<JournalOpened['type'], JournalOpened['data']> = {
      id: randomUUID(),
      type: 'JournalOpened',
      data,
      metadata: ownMetadata(),
    };
    await this.#log.append(JOURNALS_STREAM, 'any', [opened]);
    this.#opened = true;
  }

  async #store(events: readonly NewEvent[], entries: readonly JournalEntry[]): Promise<void> {
    const expected = this.#revision === -1 ? 'no-stream' : this.#revision;
    const { revision } = await this.#log.append(this.#stream, expected, events);
    this.#revision = revision;
    if (events.length > entries.length) {
      this.#untalliedFrom = revision - entries.length + 1;
      this.#uses = new Map();
      this.#first = null;
    }
    for (const { id, type, data } of entries) {
      if (type !== 'TokenUsed') continue;
      this.#first ??= { at: data.time, ms: performance.now() };
      this.#count(data.token, id);
    }
  }

  #count(token: string, id: string): void {
    let uses = this.#uses.get(token);
    if (uses === undefined) this.#uses.set(token, (uses = new UsesOfToken()));
    uses.add(id);
  }

  #tally(last: boolean): NewEvent {
    const at = new Date().toISOString();
    return usesTallied({
      from_revision: this.#untalliedFrom,
      since: this.#first?.at ?? at,
      tokens: talliesOf(this.#uses),
      last,
      at,
    });
  }
}

export const talliesOf = (uses: ReadonlyMap<string, UsesOfToken>): UsesTallied['data']['tokens'] =>
  Object.fromEntries([...uses].map(([token, of]) => [tallyName(token), of.tally()]));

export const usesTallied = (data: UsesTallied['data']): NewEvent<UsesTallied['type'], UsesTallied['data']> => ({
  id: randomUUID(),
  type: 'UsesTallied',
  data,
  metadata: ownMetadata(),
});
