import {
  type CountedIn,
  countedUnder,
  EventsOfToken,
  type JournalOpened,
  JOURNALS_STREAM,
  tallyName,
  type TokenTally,
  UsesOfToken,
  type UsesTallied,
  type WrittenTally,
} from './tally.ts';

/** What a journal has tallied and the export does not show, or shows and the journal has not tallied. */
export interface Incomplete {
  readonly kind: 'incomplete';
  readonly journal: string;
  readonly reason: string;
}

/** What nobody could miss yet: it is no fault, and no proof either. */
export interface Untallied {
  /** Events shown that no tally counts, or none that lies within the range. */
  readonly events: number;
  /** Journals that have not had their last tally. */
  readonly openJournals: number;
  /** From when on, RFC 3339, what they have not tallied may be left out unseen; null: they are all closed. */
  readonly since: string | null;
}

interface JournalRead {
  /** The revision the next tally should begin with. */
  next: number;
  sinceTally: UsesOfToken;
  last: boolean;
  /** What calls wrote that names it and is not tallied. */
  readonly written: { readonly id: string; readonly period: number }[];
  /** Periods up to this one are tallied. */
  through: number;
  /** When it was tallied, or else opened, RFC 3339. */
  talliedAt: string;
}

interface CanonicalEvent {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly data: unknown;
  readonly metadata: { readonly [key: string]: unknown };
}

const NO_USES: TokenTally = new UsesOfToken().tally();
const NONE_WRITTEN: TokenTally = new EventsOfToken().tally();

/** How far the clocks of a journal's process and of the log may be apart. */
const CLOCKS_APART_MS = 10_000;

/**
 * Whether an export of one token's events shows everything that journals have tallied: its uses, what its calls wrote,
 * and what calls did to it. Tallies and the registry of journals are shown in such an export. Each tally says where the
 * one before it ended, and the registry has no gap, so that of them only the newest could be left out: what these
 * might have said, `untallied` owns to.
 */
export class CompletenessCheck {
  readonly #token: string;
  readonly #name: string;
  readonly #from: string | undefined;
  readonly #to: string | undefined;
  readonly #journals = new Map<string, JournalRead>();
  readonly #findings: Incomplete[] = [];
  /** Revision of the next entry in the registry. */
  #nextJournal = 0;
  #untallied = 0;

  /** @param from @param to of the export's filter, RFC 3339: a tally that reaches outside cannot be held against it */
  constructor(token: string, from: string | undefined, to: string | undefined) {
    this.#token = token;
    this.#name = tallyName(token);
    this.#from = from === undefined ? undefined : new Date(from).toISOString();
    this.#to = to === undefined ? undefined : new Date(to).toISOString();
  }

  /** An event that the export shows, in canonical form. */
  event(text: string): void {
    const event = JSON.parse(text) as CanonicalEvent;
    if (event.type === 'JournalOpened') this.#register(event, event.data as JournalOpened['data']);
    else if (event.type === 'UsesTallied') this.#tally(event, event.data as UsesTallied['data']);
    else if (event.type === 'TokenUsed' && (event.data as { token?: unknown }).token === this.#token) this.#use(event);
    else this.#readWritten(event);
  }

  finish(): readonly Incomplete[] {
    return this.#findings;
  }

  /** What a journal has not tallied yet is no fault. */
  untallied(): Untallied {
    const journals = [...this.#journals.values()];
    const open = journals.filter(({ last }) => !last);
    const waiting = journals.reduce((sum, { sinceTally, written }) => sum + sinceTally.count + written.length, 0);
    return {
      events: this.#untallied + waiting,
      openJournals: open.length,
      since: open.map(({ talliedAt }) => talliedAt).toSorted()[0] ?? null,
    };
  }

  #register({ revision, time }: CanonicalEvent, { journal }: JournalOpened['data']): void {
    if (revision !== this.#nextJournal) {
      this.#find(JOURNALS_STREAM, `its entry ${this.#nextJournal} is not shown, but ${revision} is`);
    }
    this.#nextJournal = revision + 1;
    this.#open(journal, time);
  }

  #open(journal: string, time: string): JournalRead {
    const read: JournalRead = {
      next: 0,
      sinceTally: new UsesOfToken(),
      last: false,
      written: [],
      through: -1,
      talliedAt: time,
    };
    this.#journals.set(journal, read);
    return read;
  }

  #use({ stream, id, time }: CanonicalEvent): void {
    const journal = this.#journals.get(stream) ?? this.#open(stream, time);
    journal.sinceTally.add(id);
    if (journal.last) this.#find(stream, 'it goes on after its last tally');
  }

  #readWritten({ stream, id, time, metadata }: CanonicalEvent): void {
    const counted = metadata['counted_in'] as CountedIn | undefined;
    if (counted === undefined) {
      // Of a version that did not count it.
      const { token } = (metadata['use'] ?? {}) as { readonly token?: unknown };
      if (token === this.#token) this.#untallied++;
      return;
    }
    if (!countedUnder(stream, metadata).includes(this.#token)) return;
    const { journal: name, period } = counted;
    const registered = this.#journals.get(name);
    if (registered === undefined) this.#find(name, 'what a call wrote names it, and its opening is not shown');
    const journal = registered ?? this.#open(name, time);
    // Stored after its tally: the outcome was unknown, or its process was taken for dead.
    if (journal.last || period <= journal.through) this.#untallied++;
    else journal.written.push({ id, period });
  }

  #tally({ stream, revision, time }: CanonicalEvent, data: UsesTallied['data']): void {
    const journal = this.#journals.get(stream) ?? this.#open(stream, time);
    const { written = { through: journal.through, tokens: {} } } = data;
    if (data.from_revision !== journal.next) {
      this.#find(stream, `its tally at revision ${revision} begins at ${data.from_revision}, not at ${journal.next}`);
    } else if (this.#within(data.since, time)) {
      const expected = data.tokens[this.#name] ?? NO_USES;
      const { count, ids } = journal.sinceTally.tally();
      if (expected.count !== count || expected.ids !== ids) {
        this.#find(stream, `it tallied ${expected.count} uses up to revision ${revision}; ${count} are shown`);
      }
      this.#tallyWritten(stream, revision, journal, written);
    } else this.#untallied += journal.sinceTally.count + journal.written.filter(isIn(written)).length;
    this.#journals.set(stream, {
      next: revision + 1,
      sinceTally: new UsesOfToken(),
      last: data.last,
      written: journal.written.filter((one) => !isIn(written)(one)),
      through: written.through,
      talliedAt: time,
    });
  }

  #tallyWritten(stream: string, revision: number, { written }: JournalRead, tally: WrittenTally): void {
    const unsettled = new Set(tally.unsettled);
    const expected = tally.tokens[this.#name] ?? NONE_WRITTEN;
    const shown = new EventsOfToken();
    for (const { id } of written.filter(isIn(tally))) {
      if (unsettled.has(id)) this.#untallied++;
      else shown.add(id);
    }
    const { count, ids } = shown.tally();
    if (expected.count !== count || expected.ids !== ids) {
      const tallied = `it tallied ${expected.count} events that calls wrote`;
      this.#find(stream, `${tallied} up to its revision ${revision}; ${count} are shown`);
    }
  }

  /** A tally at either edge of the range may count what is beyond it. */
  #within(since: string, time: string): boolean {
    if (this.#to !== undefined && time >= this.#to) return false;
    return this.#from === undefined || Date.parse(since) - Date.parse(this.#from) >= CLOCKS_APART_MS;
  }

  #find(journal: string, reason: string): void {
    this.#findings.push({ kind: 'incomplete', journal, reason });
  }
}

const isIn =
  ({ through }: WrittenTally) =>
  ({ period }: { readonly period: number }): boolean =>
    period <= through;
