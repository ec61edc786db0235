import type { Person } from '../person/person.ts';
import type { OwnLimits, Restriction, RevocationReason, TokenEvent, TokenKind } from './events.ts';

/** A token as its own stream tells it. Times are Unix milliseconds; null: never. */
export type Token = NoToken | LiveToken | RevokedToken;

export interface NoToken {
  readonly status: 'none';
}

export interface TokenFacts {
  readonly id: string;
  readonly lineage: string;
  readonly catalogue: string;
  readonly kind: TokenKind;
  readonly name: string;
  readonly owner: Person;
  readonly workspace: string;
  readonly scopes: readonly string[];
  readonly restrict: Restriction;
  readonly limits: OwnLimits;
  readonly digest: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly predecessor: string | null;
  readonly rotation: { readonly successor: string; readonly overlapEndsAtMs: number | null } | null;
}

export interface LiveToken extends TokenFacts {
  readonly status: 'active' | 'suspended';
}

export interface RevokedToken extends TokenFacts {
  readonly status: 'revoked';
  readonly reason: RevocationReason;
  readonly note: string | null;
  readonly revokedAtMs: number;
}

export const noToken: Token = { status: 'none' };

export function evolve(token: Token, event: TokenEvent): Token {
  if (event.type === 'TokenCreated') return created(event.data);
  if (token.status === 'none') throw new Error(`${event.type} before TokenCreated`);
  switch (event.type) {
    case 'TokenRenamed':
      return { ...token, name: event.data.name };
    case 'TokenScoped':
      return { ...token, scopes: event.data.scopes, restrict: event.data.restrict };
    case 'TokenLimitsChanged':
      return { ...token, limits: event.data.limits, expiresAtMs: ms(event.data.expires_at) };
    case 'TokenSuspended':
      return token.status === 'revoked' ? token : { ...token, status: 'suspended' };
    case 'TokenResumed':
      return token.status === 'revoked' ? token : { ...token, status: 'active' };
    case 'TokenRotated':
      return {
        ...token,
        rotation: { successor: event.data.successor, overlapEndsAtMs: ms(event.data.overlap_ends_at) },
      };
    case 'TokenRevoked':
      if (token.status === 'revoked') return token;
      return {
        ...token,
        status: 'revoked',
        reason: event.data.reason,
        note: event.data.note,
        revokedAtMs: Date.parse(event.data.at),
      };
    case 'TokenExpired':
      return token;
    default:
      return unknownEvent(event);
  }
}

export type TokenStatus = 'active' | 'suspended' | 'revoked' | 'expired' | 'rotated' | 'inert';

/**
 * A token's status at an instant: a pure function of its state and the time (P10). A successor that its predecessor
 * has not yet named is `inert`.
 */
export function statusAt(
  token: Omit<LiveToken, 'digest'> | Omit<RevokedToken, 'digest'>,
  activated: boolean,
  atMs: number,
): TokenStatus {
  if (token.status === 'revoked') return 'revoked';
  if (token.expiresAtMs !== null && token.expiresAtMs <= atMs) return 'expired';
  const retiresAtMs = token.rotation?.overlapEndsAtMs ?? null;
  if (retiresAtMs !== null && retiresAtMs <= atMs) return 'rotated';
  return activated ? token.status : 'inert';
}

function created(data: Extract<TokenEvent, { type: 'TokenCreated' }>['data']): LiveToken {
  return {
    status: 'active',
    id: data.id,
    lineage: data.lineage,
    catalogue: data.catalogue,
    kind: data.kind,
    name: data.name,
    owner: data.owner,
    workspace: data.workspace,
    scopes: data.scopes,
    restrict: data.restrict,
    limits: data.limits,
    digest: data.digest,
    createdAtMs: Date.parse(data.at),
    expiresAtMs: ms(data.expires_at),
    predecessor: data.predecessor,
    rotation: null,
  };
}

const ms = (time: string | null): number | null => (time === null ? null : Date.parse(time));

function unknownEvent(event: never): never {
  throw new Error(`unknown token event ${(event as { type: string }).type}`);
}
