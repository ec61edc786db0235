import type { Person } from '../person/person.ts';

/** The life of a token, in stream `token-<id>`. Times are RFC 3339, as stored. */
export type TokenEvent =
  | TokenCreated
  | TokenRenamed
  | TokenScoped
  | TokenLimitsChanged
  | TokenSuspended
  | TokenResumed
  | TokenRotated
  | TokenRevoked
  | TokenExpired;

export type TokenKind = 'agent' | 'person';

/** What a token is pinned to; an empty list: nothing named. */
export interface Restriction {
  readonly companies: readonly string[];
  readonly projects: readonly string[];
}

/** A token's own limits, calls a minute; null: its company's, else its catalogue's. */
export interface OwnLimits {
  readonly reads: number | null;
  readonly writes: number | null;
}

export interface TokenCreated {
  readonly type: 'TokenCreated';
  readonly data: {
    readonly id: string;
    readonly catalogue: string;
    readonly kind: TokenKind;
    readonly name: string;
    readonly owner: Person;
    readonly workspace: string;
    readonly scopes: readonly string[];
    readonly restrict: Restriction;
    readonly limits: OwnLimits;
    readonly expires_at: string | null;
    /** SHA-256 of the whole token, hex. The token itself is known to its holder only (P5). */
    readonly digest: string;
    /** First ancestor's id; its own where it has none. */
    readonly lineage: string;
    /** Set by a rotation: the token stays inert until `TokenRotated` in the predecessor's stream names it. */
    readonly predecessor: string | null;
    readonly at: string;
  };
}

export interface TokenRenamed {
  readonly type: 'TokenRenamed';
  readonly data: {
    readonly name: string;
    /** Person id of the token's owner, whom the name may tell of; missing in events before it was kept. */
    readonly owner?: string;
    readonly at: string;
  };
}

export interface TokenScoped {
  readonly type: 'TokenScoped';
  readonly data: { readonly scopes: readonly string[]; readonly restrict: Restriction; readonly at: string };
}

export interface TokenLimitsChanged {
  readonly type: 'TokenLimitsChanged';
  readonly data: { readonly limits: OwnLimits; readonly expires_at: string | null; readonly at: string };
}

export interface TokenSuspended {
  readonly type: 'TokenSuspended';
  readonly data: { readonly at: string };
}

export interface TokenResumed {
  readonly type: 'TokenResumed';
  readonly data: { readonly at: string };
}

export interface TokenRotated {
  readonly type: 'TokenRotated';
  readonly data: {
    readonly successor: string;
    /** When this one stops: `at` itself for a cut-over, null: side by side until revoked. */
    readonly overlap_ends_at: string | null;
    readonly at: string;
  };
}

export type RevocationReason = 'by_hand' | 'rotation' | 'offboarding' | 'leak' | 'expiry' | 'idle';

export interface TokenRevoked {
  readonly type: 'TokenRevoked';
  readonly data: { readonly reason: RevocationReason; readonly note: string | null; readonly at: string };
}

/** A note for readers of the history; expiry itself needs no event (status is a function of state and time). */
export interface TokenExpired {
  readonly type: 'TokenExpired';
  readonly data: { readonly at: string };
}

export const TOKEN_PREFIX = 'token-';
export const tokenStream = (id: string): string => `${TOKEN_PREFIX}${id}`;
