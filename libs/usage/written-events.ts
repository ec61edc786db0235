import { setTimeout as sleep } from 'node:timers/promises';
import type { Counted } from '../event-log/decide-and-append.ts';
import type { ExpectedRevision, LogReader, NewEvent, RecordedEvent } from '../event-log/event-log.ts';
import { type CountedIn, countedUnder, EventsOfToken, Tallies, type WrittenTally } from '../proof/tally.ts';

interface Period {
  readonly number: number;
  /** When the first append in it was begun; null: none was. */
  since: { readonly at: string; readonly ms: number } | null;
  underWay: number;
  readonly tokens: Tallies;
  readonly unsettled: string[];
}

interface Append {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

const LOOK_AGAIN_MS = 1_000;
/** How often an append of unknown outcome is looked for. */
const MOST_LOOKS = 10;
/** Events from a stream's head on, among which it is looked for where no revision was expected. */
const MOST_READ = 1_000;

/**
 * What calls write, counted by a journal. Events are counted where they are stored, in many streams, by many appends at
 * once, which is why each names the journal and one of its periods. A period that is over is tallied once none of its
 * appends is under way any more; meanwhile events name the next.
 */
export class WrittenEvents {
  readonly #log: LogReader;
  readonly #journal: string;
  #open = period(0);
  /** Over, and not tallied yet. */
  #over: Period | null = null;
  #unknown: { readonly append: Append; readonly period: Period; looks: number }[] = [];
  #looking = false;
  #mostLooks = MOST_LOOKS;
  #idle: (() => void) | null = null;

  constructor(log: LogReader, journal: string) {
    this.#log = log;
    this.#journal = journal;
  }

  begin(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Counted {
    const within = this.#open;
    within.since ??= { at: new Date().toISOString(), ms: performance.now() };
    within.underWay++;
    const counted_in: CountedIn = { journal: this.#journal, period: within.number };
    const append = {
      stream,
      expected,
      events: events.map((event) => ({ ...event, metadata: { ...event.metadata, counted_in } })),
    };
    return {
      events: append.events,
      ended: (outcome) => {
        if (outcome === 'unknown') this.#lookFor(append, within);
        else this.#ended(append, within, outcome === 'stored');
      },
    };
  }

  /** Milliseconds until something is to be tallied; null: there is nothing. */
  dueInMs(everyMs: number): number | null {
    if (this.#over !== null) return this.#over.underWay > 0 ? LOOK_AGAIN_MS : 0;
    const { since } = this.#open;
    return since === null ? null : since.ms + everyMs - performance.now();
  }

  /** What is begun from now on falls into the next period, unless one that is over waits for its tally yet. */
  endPeriod(): { readonly canBeTallied: boolean } {
    this.#over ??= this.#next();
    return { canBeTallied: this.#over.underWay === 0 };
  }

  /** Ends the period, and tallies it if none of its appends is under way; `since`: see `UsesTallied`. */
  tally(): { readonly written: WrittenTally; readonly since: string | null } {
    const { number, underWay, tokens, unsettled, since } = (this.#over ??= this.#next());
    if (underWay > 0) return { written: { through: number - 1, tokens: {} }, since: null };
    const written = { through: number, tokens: tokens.tally(), ...(unsettled.length > 0 && { unsettled }) };
    return { written, since: since?.at ?? null };
  }

  /** The tally is stored. */
  tallied({ through }: WrittenTally): void {
    if (this.#over?.number === through) this.#over = null;
  }

  /** Whether the period names so many tokens, and can end. */
  isFull(mostTokens: number): boolean {
    return this.#over === null && this.#open.tokens.size >= mostTokens;
  }

  /** Whether a period is over and not tallied. */
  get isBehind(): boolean {
    return this.#over !== null;
  }

  /** Resolves when no append is under way; one of unknown outcome is not looked for any longer. */
  async finish(): Promise<void> {
    this.#mostLooks = 1;
    if (this.#underWay() > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  #next(): Period {
    const over = this.#open;
    this.#open = period(over.number + 1);
    return over;
  }

  #ended({ stream, events }: Append, within: Period, stored: boolean): void {
    for (const { id, metadata } of stored ? events : []) {
      for (const token of countedUnder(stream, metadata)) within.tokens.add(token, id);
    }
    within.underWay--;
    if (this.#underWay() === 0) this.#idle?.();
  }

  #underWay(): number {
    return this.#open.underWay + (this.#over?.underWay ?? 0);
  }

  #lookFor(append: Append, within: Period): void {
    this.#unknown.push({ append, period: within, looks: 0 });
    if (this.#looking) return;
    this.#looking = true;
    void this.#look().finally(() => (this.#looking = false));
  }

  /** One after the other, so that a log in distress is not asked for many at once. */
  async #look(): Promise<void> {
    while (this.#unknown.length > 0) {
      let reached = true;
      for (const unknown of this.#unknown.splice(0)) {
        const { append, period: within } = unknown;
        const stored = reached ? await isStored(this.#log, append).catch(() => 'unreachable' as const) : null;
        if (stored === 'unreachable') reached = false;
        if (typeof stored === 'boolean') this.#ended(append, within, stored);
        else if (++unknown.looks < this.#mostLooks) this.#unknown.push(unknown);
        else {
          within.unsettled.push(...append.events.map(({ id }) => id));
          this.#ended(append, within, false);
        }
      }
      if (this.#unknown.length > 0) await sleep(LOOK_AGAIN_MS);
    }
  }
}

const period = (number: number): Period => ({
  number,
  since: null,
  underWay: 0,
  tokens: new Tallies(EventsOfToken),
  unsettled: [],
});

/** False: it is not, and cannot be any more. Null: it is not there, and perhaps it comes. @throws LogUnavailable */
async function isStored(log: LogReader, { stream, expected, events }: Append): Promise<boolean | null> {
  const [first] = events;
  const where =
    expected === 'any'
      ? ({ direction: 'backwards', limit: MOST_READ } as const)
      : { from: expected === 'no-stream' ? 0 : expected + 1, limit: 1 };
  let found: RecordedEvent | null = null;
  for await (const event of log.readStream(stream, where)) {
    found = event;
    if (event.id === first?.id) break;
  }
  if (found === null) return null;
  // Under an Idempotency-Key another request may have stored the same id.
  if (found.id === first?.id) return found.metadata.$correlationId === first.metadata.$correlationId;
  return expected === 'any' ? null : false;
}
