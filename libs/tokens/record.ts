import type { UsageReading } from '../hot-view/hot-view.ts';
import type { Person } from '../person/person.ts';
import type { Restriction, TokenKind } from './events.ts';
import type { Limits } from './limits.ts';
import { type LiveToken, type RevokedToken, statusAt, type TokenStatus } from './token.ts';

/** A token as the outside sees it (DESIGN §5). */
export interface TokenRecord {
  readonly id: string;
  readonly catalogue: string;
  readonly kind: TokenKind;
  readonly name: string;
  readonly owner: Person;
  readonly workspace: string;
  readonly scopes: readonly string[];
  readonly restrict: Restriction;
  readonly limits: {
    readonly reads: { readonly per_minute: number; readonly used: number };
    readonly writes: { readonly per_minute: number; readonly used: number };
  };
  readonly status: TokenStatus;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly predecessor: string | null;
  readonly successor: string | null;
}

/** A standing token as far as its record shows it: all but the digest. */
interface RecordedToken {
  readonly token: Omit<LiveToken, 'digest'> | Omit<RevokedToken, 'digest'>;
  readonly activated: boolean;
}

/** The record at an instant: a pure function of state, limits in force, what was used, and time (P10). */
export function toRecord(
  { token, activated }: RecordedToken,
  limits: Limits,
  used: { readonly reads: number; readonly writes: number },
  lastUsedAt: string | null,
  atMs: number,
): TokenRecord {
  return {
    id: token.id,
    catalogue: token.catalogue,
    kind: token.kind,
    name: token.name,
    owner: token.owner,
    workspace: token.workspace,
    scopes: token.scopes,
    restrict: token.restrict,
    limits: {
      reads: { per_minute: limits.reads, used: used.reads },
      writes: { per_minute: limits.writes, used: used.writes },
    },
    status: statusAt(token, activated, atMs),
    created_at: new Date(token.createdAtMs).toISOString(),
    expires_at: token.expiresAtMs === null ? null : new Date(token.expiresAtMs).toISOString(),
    last_used_at: lastUsedAt,
    predecessor: token.predecessor,
    successor: token.rotation?.successor ?? null,
  };
}

export const usedOf = ({ reads, writes }: UsageReading): { readonly reads: number; readonly writes: number } => ({
  reads: reads.used,
  writes: writes.used,
});
