import { hash } from 'node:crypto';

/**
 * How many uses of each token a journal holds, and a hash over which: what shows that an export of one token's uses
 * leaves none out. A token is named by a hash of its id, so that a tally tells a reader of one workspace nothing of
 * another's tokens.
 */
export interface TokenTally {
  readonly count: number;
  /** SHA-256(the chain before || event id), hex; '' before the first. */
  readonly chain: string;
}

export const NOTHING_TALLIED: TokenTally = { count: 0, chain: '' };

export const tallied = ({ count, chain }: TokenTally, eventId: string): TokenTally => ({
  count: count + 1,
  chain: hash('sha256', chain + eventId, 'hex'),
});

/** 128 bits of the SHA-256 of a token's id, hex. */
export const tallyName = (token: string): string => hash('sha256', token, 'hex').slice(0, 32);

/** `UsesTallied` in a journal: what its uses from `from_revision` up to before this event come to. */
export interface UsesTallied {
  readonly type: 'UsesTallied';
  readonly data: {
    readonly from_revision: number;
    /** When the first of them was made, RFC 3339. */
    readonly since: string;
    readonly tokens: Readonly<Record<string, TokenTally>>;
    /** True for the journal's last: nothing follows. */
    readonly last: boolean;
    /** RFC 3339. */
    readonly at: string;
  };
}

/** `JournalOpened` in the registry of journals: before a journal's first event. */
export interface JournalOpened {
  readonly type: 'JournalOpened';
  readonly data: { readonly journal: string; readonly at: string };
}

export const JOURNALS_STREAM = 'journals';
