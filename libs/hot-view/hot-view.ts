import type { Person } from '../person/person.ts';
import type { OwnLimits, Restriction, TokenKind } from '../tokens/events.ts';
import type { Limits } from '../tokens/limits.ts';
import type { Budget } from '../usage/use.ts';

/**
 * The hot view: what the gate asks, once a call. Tokens by id, and the windows of their lineages.
 * A token and all its successors share the random part of their ids (see `libs/tokens/token-id.ts`), so partition
 * and window of a lineage are known from any of its ids, before anything is looked up.
 */
export interface HotView {
  /**
   * Looks the token up, checks it, its scope and its windows, and takes the cost: all of it or nothing, in one step.
   * Synchronous where the store is; one round trip where it is not. Never throws for an unreachable store: `not-ready`.
   */
  admit(request: Admission): Verdict | Promise<Verdict>;

  /** After the append, before the answer: does what `admit` said still stand (P2, and the certificate of DESIGN §8)? */
  confirm(pass: Pass): Standing | Promise<Standing>;

  /** The token as the view holds it now, dead ones included; nothing is checked, nothing taken. */
  get(id: string): ViewToken | null | Promise<ViewToken | null>;

  /**
   * Writes tokens, each ignored when the view holds its version or a newer one (but see `useCatalogues`). Tokens of one
   * call that share a lineage are written in one step. @throws ViewUnavailable: the caller must not answer success.
   */
  put(tokens: readonly ViewToken[]): void | Promise<void>;

  /**
   * Writes companies, each ignored when the view holds its version or a newer one: from here on their limits are in force
   * for all tokens pinned to them that have none of their own. @throws ViewUnavailable, perhaps after some were written
   */
  putCompanies(companies: readonly ViewCompany[]): void | Promise<void>;

  /**
   * Writes workspaces, each ignored when the view holds its version or a newer one: from here on their ceilings are in
   * force over the calls of all their tokens, and count them. @throws ViewUnavailable, perhaps after some were written
   */
  putWorkspaces(workspaces: readonly ViewWorkspace[]): void | Promise<void>;

  /** What is used of each window now; nothing is taken. */
  usage(ids: readonly string[]): UsageReading[] | Promise<UsageReading[]>;

  /** What is used of a workspace's ceiling now; null: it has none. */
  ceilingUsage(workspace: string): CeilingReading | null | Promise<CeilingReading | null>;

  /** Cheap, local: may the gate be asked at all? Ready with a reason: of some tokens only. */
  health(): { readonly ready: boolean; readonly reason: string | null };

  close(): Promise<void>;
}

/** A token as the gate needs it. Written whole; `version` grows with its stream. */
export interface ViewToken {
  readonly id: string;
  readonly lineage: string;
  readonly catalogue: string;
  readonly kind: TokenKind;
  readonly name: string;
  readonly owner: Person;
  readonly workspace: string;
  readonly scopes: readonly string[];
  /** Scopes with all they imply, each named with its catalogue: `toado/read`. */
  readonly grants: readonly string[];
  readonly restrict: Restriction;
  /** In force, calls a minute. As written: as if its company said nothing. */
  readonly limits: Limits;
  /** Null: its company's, else its catalogue's. */
  readonly ownLimits: OwnLimits;
  /** SHA-256 of the token, hex. */
  readonly digest: string;
  readonly predecessor: string | null;
  readonly successor: string | null;
  /** `parked`: its events could not be understood, so nothing is decided by it (503). */
  readonly status: 'inert' | 'active' | 'suspended' | 'revoked' | 'parked';
  /** Unix ms; null: never. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  /** End of a rotation's overlap, Unix ms; null: none. */
  readonly retiresAtMs: number | null;
  /** Twice the stream's revision, plus one once activated by its predecessor. Tombstones keep theirs. */
  readonly version: number;
  /** Digest of the catalogues that its grants and limits were worked out by. */
  readonly catalogues: string;
}

/** What the view keeps of a company. */
export interface ViewCompany {
  readonly id: string;
  readonly workspace: string;
  /** Calls a minute of its tokens that have none of their own; null: the catalogue's. */
  readonly limits: OwnLimits;
  /** Its stream's revision. */
  readonly version: number;
}

/** What the view keeps of a workspace. */
export interface ViewWorkspace {
  readonly id: string;
  /** Calls a minute of all its tokens together; null: as many as they may make. */
  readonly ceiling: OwnLimits;
  /** Its stream's revision. */
  readonly version: number;
}

export type Cost = Readonly<Record<Exclude<Budget, 'refusals'>, number>>;

export interface Admission {
  readonly id: string;
  /** SHA-256 of the token as shown, hex. */
  readonly digest: string;
  /** Qualified scope (`comma/reports:read`); null: any live token will do (`GET /me`). */
  readonly scope: string | null;
  readonly cost: Cost;
}

export interface WindowReading {
  readonly limit: number;
  readonly used: number;
  /** Seconds until anything used now is given back; 0 when nothing is used. */
  readonly resetSeconds: number;
}

export interface UsageReading {
  readonly reads: WindowReading;
  readonly writes: WindowReading;
  /** Its workspace's, of a call that was held against it. */
  readonly ceiling?: CeilingReading;
}

/** Null: of that budget there is no ceiling. */
export interface CeilingReading {
  readonly reads: WindowReading | null;
  readonly writes: WindowReading | null;
}

export interface Pass {
  readonly kind: 'admitted';
  readonly token: ViewToken;
  readonly usage: UsageReading;
  /** Unix second of the view's clock this was metered in. */
  readonly windowSecond: number;
  /** Certificate of the partition it was metered under. */
  readonly epoch: string;
  /** Where its workspace has a ceiling, and the call cost anything of it. */
  readonly ceiling?: TakenFromCeiling;
}

/** As `windowSecond` and `epoch`, of the partition the workspace's windows lie in. */
export interface TakenFromCeiling {
  readonly windowSecond: number;
  readonly epoch: string;
}

/** Why a known token was refused. `unknown` (also: a wrong secret for a known id) tells nothing of any token. */
export type RefusalReason =
  'revoked' | 'expired' | 'rotated' | 'suspended' | 'inert' | 'missing_scope' | 'throttled' | 'ceiling';

export type Verdict =
  | Pass
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'refused';
      readonly reason: RefusalReason;
      readonly token: ViewToken;
      readonly usage: UsageReading;
      readonly windowSecond: number;
      /** Which windows were short: the token's for `throttled`, its workspace's for `ceiling`. */
      readonly short: readonly ('reads' | 'writes' | 'handshakes')[];
      readonly retryAfterSeconds: number;
      /** False once the token has had its 60 refusals a minute: answered 429, and counted in an aggregate only. */
      readonly withinRefusals: boolean;
    }
  | { readonly kind: 'not-ready'; readonly reason: string; readonly retryAfterSeconds: number };

export type Standing = 'stands' | 'dead' | 'lapsed';

/** Handshakes (MCP's `initialize`, `tools/list`, pings) have a window of their own, generous. */
export const HANDSHAKES_PER_MINUTE = 600;
export const REFUSALS_PER_MINUTE = 60;
export const PARTITIONS = 64;

export class ViewUnavailable extends Error {
  override readonly name = 'ViewUnavailable';
}
