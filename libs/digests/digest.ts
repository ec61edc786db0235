import type { Actor } from '../person/actor.ts';
import type { Person } from '../person/person.ts';
import type { OwnLimits, Restriction, RevocationReason, TokenKind } from '../tokens/events.ts';
import type { TokenStatus } from '../tokens/token.ts';
import type { Face } from '../usage/use.ts';
import type { PeriodKind } from './period.ts';

/** What happened in a workspace in a day, ISO week or month. Members as they are kept and go over the wire; times are RFC 3339. */
export interface Digest {
  readonly format: 'writ-digest/v1';
  /** `2026-11-24`, `2026-W48`, `2026-11`. */
  readonly id: string;
  readonly period: PeriodKind;
  readonly workspace: string;
  readonly from: string;
  /** Not included. */
  readonly to: string;
  /** Of the event that closed the period: the digest is of the events before it, and of nothing else. */
  readonly log_position: number;
  readonly totals: Totals;
  /** By hour of a day, by day of a week or month. */
  readonly timeline: readonly ({ readonly from: string } & Calls)[];
  readonly faces: readonly ({ readonly face: Face } & Calls)[];
  /** Of calls that were denied. */
  readonly reasons: readonly { readonly reason: string; readonly denied: number }[];
  readonly operations: Rows<{ readonly operation: string } & Calls>;
  /** Calls that routines made, as steps of their runs. */
  readonly routines: Rows<{ readonly routine: string; readonly name: string | null } & Calls>;
  /** Those that called, most calls first. */
  readonly tokens: Rows<TokenActivity>;
  readonly throttled_tokens: Rows<{ readonly token: TokenName; readonly throttled: number }>;
  /** Alive at the end, and called not once. */
  readonly unused_tokens: Rows<UnusedToken>;
  /** Held at the end by a token that called, and asked for by none of its calls. */
  readonly unused_scopes: Rows<UnusedScopes>;
  /** What was done to tokens, in the order it was recorded. */
  readonly changes: Rows<TokenChange>;
  readonly expired_tokens: Rows<{ readonly token: TokenName; readonly at: string }>;
  /** From where a token, or one of its lineage, called that had not called from there in the 30 days before. */
  readonly first_seen_addresses: Rows<FirstSeen> & {
    /** False: from so many addresses was called that some were not told apart. */
    readonly complete: boolean;
  };
}

/** How calls ended: done; let in, and then answered with a problem; not let in. */
export interface Calls {
  readonly allowed: number;
  readonly failed: number;
  readonly denied: number;
}

export interface Totals extends Calls {
  /** Of the denied: those beyond their limit. */
  readonly throttled: number;
  /** Of an earlier period, but recorded when that was closed already; in none of the other numbers. */
  readonly late: number;
  readonly tokens_used: number;
  /** At the end of the period. */
  readonly tokens_alive: number;
  readonly tokens_created: number;
  readonly tokens_scoped: number;
  readonly tokens_rotated: number;
  readonly tokens_revoked: number;
  readonly tokens_expired: number;
}

/** The first so many, and how many more there are. */
export interface Rows<Row> {
  readonly items: readonly Row[];
  readonly more: number;
}

/** With no list longer than so many rows. */
export function withRows(digest: Digest, most: number): Digest {
  const cut = <List extends Rows<unknown>>(list: List): List => ({
    ...list,
    items: list.items.slice(0, most),
    more: list.more + Math.max(0, list.items.length - most),
  });
  return {
    ...digest,
    operations: cut(digest.operations),
    routines: cut(digest.routines),
    tokens: cut(digest.tokens),
    throttled_tokens: cut(digest.throttled_tokens),
    unused_tokens: cut(digest.unused_tokens),
    unused_scopes: cut(digest.unused_scopes),
    changes: cut(digest.changes),
    expired_tokens: cut(digest.expired_tokens),
    first_seen_addresses: cut(digest.first_seen_addresses),
  };
}

/** As it was called at the end of the period. */
export interface TokenName {
  readonly id: string;
  readonly label: string;
  readonly owner: Person;
}

export interface TokenActivity extends Calls {
  readonly token: TokenName;
  readonly catalogue: string;
  readonly kind: TokenKind;
  /** At the end of the period. */
  readonly status: TokenStatus;
  readonly throttled: number;
  readonly last_used_at: string;
}

export interface UnusedToken {
  readonly token: TokenName;
  readonly catalogue: string;
  readonly status: TokenStatus;
  readonly scopes: readonly string[];
  readonly created_at: string;
}

export interface UnusedScopes {
  readonly token: TokenName;
  readonly catalogue: string;
  readonly unused: readonly string[];
  /** What its calls asked for; an unused scope may be how it came to them, as one that includes them. */
  readonly needed: readonly string[];
}

export interface FirstSeen {
  readonly token: TokenName;
  readonly address: string;
  readonly at: string;
  readonly operation: string;
  readonly decision: 'allowed' | 'refused';
}

export type TokenChange = {
  readonly at: string;
  readonly token: TokenName;
  /** Null: the system itself. */
  readonly by: Actor | null;
} & ChangeMade;

export type ChangeMade =
  | { readonly change: 'created'; readonly scopes: readonly string[]; readonly expires_at: string | null }
  | { readonly change: 'renamed'; readonly name: string }
  | {
      readonly change: 'scoped';
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly restrict: Restriction;
    }
  | { readonly change: 'limits_changed'; readonly limits: OwnLimits; readonly expires_at: string | null }
  | { readonly change: 'suspended' }
  | { readonly change: 'resumed' }
  | { readonly change: 'rotated'; readonly successor: string; readonly overlap_ends_at: string | null }
  | { readonly change: 'revoked'; readonly reason: RevocationReason; readonly note: string | null };
