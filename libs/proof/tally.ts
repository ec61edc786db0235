import { createHash, hash } from 'node:crypto';

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

  add(eventId: string): void {
    this.#ids.update(eventId);
    this.#count++;
  }

  tally(): TokenTally {
    return { count: this.#count, ids: this.#ids.copy().digest('hex') };
  }
}

/** 128 bits of the SHA-256 of a token's id, hex. */
export const tallyName = (token: string): string => hash('sha256', token, 'hex').slice(0, 32);

/** `UsesTallied` in a journal: what its uses from `from_revision` up to before this event come to. */
export interface UsesTallied {
  readonly type: 'UsesTallied';
  readonly data: {
    readonly from_revision: number;
    /** When the first of them was made, RFC 3339. */
    readonly since: string;
    /** By `tallyName`. */
    readonly tokens: Readonly<Record<string, TokenTally>>;
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
