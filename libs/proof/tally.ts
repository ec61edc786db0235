import { createHash, hash } from 'node:crypto';
import { TOKEN_PREFIX } from '../tokens/events.ts';

/**
 * How many uses of each token a journal holds, and a hash over which: what shows that an export of one token's uses
 * leaves none out. A token is named by a hash of its id, so that a tally tells a reader of one workspace nothing of
 * another's tokens.
 */
export interface TokenTally {
  readonly count: number;
  /** SHA-256 of the ids of the uses' events, one after the other, hex. */
  readonly ids: string;
}

/** Counts the uses of one token, in the order in which the journal holds them. */
export class UsesOfToken {
  readonly #ids = createHash('sha256');
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(eventId: string): void {
    this.#ids.update(eventId);
    this.#count++;
  }

  tally(): TokenTally {
    return { count: this.#count, ids: this.#ids.copy().digest('hex') };
  }
}

/**
 * Counts events in whatever order: appends to different streams end in another order than they are stored in. Here
 * `ids` is the sum of the SHA-256 of each id, modulo 2^256. Each event names the journal that counts it, and the tree
 * lets nobody add one, so the count alone would show that one is missing.
 */
export class EventsOfToken {
  #sum = 0n;
  #count = 0;

  add(eventId: string): void {
    this.#sum += BigInt(`0x${hash('sha256', eventId, 'hex')}`);
    this.#count++;
  }

  tally(): TokenTally {
    return { count: this.#count, ids: BigInt.asUintN(256, this.#sum).toString(16).padStart(64, '0') };
  }
}

/** Counts by token. */
export class Tallies {
  readonly #byToken = new Map<string, UsesOfToken | EventsOfToken>();
  readonly #Counter: new () => UsesOfToken | EventsOfToken;

  constructor(Counter: new () => UsesOfToken | EventsOfToken) {
    this.#Counter = Counter;
  }

  /** Tokens. */
  get size(): number {
    return this.#byToken.size;
  }

  add(token: string, eventId: string): void {
    let counter = this.#byToken.get(token);
    if (counter === undefined) this.#byToken.set(token, (counter = new this.#Counter()));
    counter.add(eventId);
  }

  /** By `tallyName`. */
  tally(): Readonly<Record<string, TokenTally>> {
    return Object.fromEntries([...this.#byToken].map(([token, counter]) => [tallyName(token), counter.tally()]));
  }
}

/** `counted_in` in the metadata of an event that a call wrote: the journal that counts it, and in which of its periods. */
export interface CountedIn {
  readonly journal: string;
  /** From 0. */
  readonly period: number;
}

/** The tokens under which an event that a call wrote is counted: the caller's, and the one whose life it is of. */
export function countedUnder(stream: string, metadata: { readonly [key: string]: unknown }): readonly string[] {
  const { token: caller } = (metadata['actor'] ?? {}) as { readonly token?: unknown };
  const subject = stream.startsWith(TOKEN_PREFIX) ? stream.slice(TOKEN_PREFIX.length) : null;
  if (typeof caller !== 'string') return subject === null ? [] : [subject];
  return subject === null || subject === caller ? [caller] : [caller, subject];
}

/** 128 bits of the SHA-256 of a token's id, hex. */
export const tallyName = (token: string): string => hash('sha256', token, 'hex').slice(0, 32);

/** Events, stored before the tally, that calls wrote and that name the journal: those of its periods that are over. */
export interface WrittenTally {
  /** Counted are periods up to this one that no earlier tally counts; -1: none is over yet. */
  readonly through: number;
  /** By `tallyName`; `ids` as `EventsOfToken` has it. */
  readonly tokens: Readonly<Record<string, TokenTally>>;
  /** Ids of events of which nobody could say whether they were stored: not counted, whether or not they were. */
  readonly unsettled?: readonly string[];
}

/** `UsesTallied` in a journal: what its uses from `from_revision` up to before this event come to. */
export interface UsesTallied {
  readonly type: 'UsesTallied';
  readonly data: {
    readonly from_revision: number;
    /** When the first of them was made, or the first of the events counted in `written` was begun, RFC 3339. */
    readonly since: string;
    /** By `tallyName`. */
    readonly tokens: Readonly<Record<string, TokenTally>>;
    /** Missing in tallies from before it was counted. */
    readonly written?: WrittenTally;
    /** True for the journal's last: nothing follows. */
    readonly last: boolean;
    readonly at: string;
  };
}

/** `JournalOpened` in the registry of journals: before a journal's first event. */
export interface JournalOpened {
  readonly type: 'JournalOpened';
  readonly data: { readonly journal: string; readonly at: string };
}

export const JOURNALS_STREAM = 'journals';
