import { type JournalOpened, tallyName, type TokenTally, UsesOfToken, type UsesTallied } from './tally.ts';

/** Uses a journal has tallied and the export does not show, or shows and the journal has not tallied. */
export interface Incomplete {
  readonly kind: 'incomplete';
  readonly journal: string;
  readonly reason: string;
}

interface JournalRead {
  /** The revision the next tally should begin with. */
  next: number;
  sinceTally: UsesOfToken;
  last: boolean;
}

interface CanonicalEvent {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly data: unknown;
}

const NONE: TokenTally = new UsesOfToken().tally();

/** How far the clocks of a journal's process and of the log may be apart. */
const CLOCKS_APART_MS = 10_000;

/**
 * Whether an export of one token's events shows every use its journals have tallied. Tallies and the registry of
 * journals are shown in such an export, and are leaves of the tree like all else, so they cannot be left out either.
 */
export class CompletenessCheck {
  readonly #token: string;
  readonly #name: string;
  readonly #from: string | undefined;
  readonly #to: string | undefined;
  readonly #journals = new Map<string, JournalRead>();
  readonly #findings: Incomplete[] = [];

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
    if (event.type === 'JournalOpened') this.#open((event.data as JournalOpened['data']).journal);
    else if (event.type === 'UsesTallied') this.#tally(event, event.data as UsesTallied['data']);
    else if (event.type === 'TokenUsed' && (event.data as { token?: unknown }).token === this.#token) this.#use(event);
  }

  /** What a journal has not tallied yet is no fault: the export says up to where it is complete. */
  finish(): readonly Incomplete[] {
    return this.#findings;
  }

  #open(journal: string): JournalRead {
    const read: JournalRead = { next: 0, sinceTally: new UsesOfToken(), last: false };
    this.#journals.set(journal, read);
    return read;
  }

  #use({ stream, id }: CanonicalEvent): void {
    const journal = this.#journals.get(stream) ?? this.#open(stream);
    journal.sinceTally.add(id);
    if (journal.last) this.#find(stream, 'it goes on after its last tally');
  }

  #tally({ stream, revision, time }: CanonicalEvent, data: UsesTallied['data']): void {
    const journal = this.#journals.get(stream) ?? this.#open(stream);
    if (data.from_revision !== journal.next) {
      this.#find(stream, `its tally at revision ${revision} begins at ${data.from_revision}, not at ${journal.next}`);
    } else if (this.#within(data.since, time)) {
      const expected = data.tokens[this.#name] ?? NONE;
      const { count, ids } = journal.sinceTally.tally();
      if (expected.count !== count || expected.ids !== ids) {
        this.#find(stream, `it tallied ${expected.count} uses up to revision ${revision}; ${count} are shown`);
      }
    }
    this.#journals.set(stream, {
      next: revision + 1,
      sinceTally: new UsesOfToken(),
      last: data.last,
    });
  }

  /** A tally at either edge of the range may count uses beyond it. */
  #within(since: string, time: string): boolean {
    if (this.#to !== undefined && time >= this.#to) return false;
    return this.#from === undefined || Date.parse(since) - Date.parse(this.#from) >= CLOCKS_APART_MS;
  }

  #find(journal: string, reason: string): void {
    this.#findings.push({ kind: 'incomplete', journal, reason });
  }
}
