import type { Catalogue } from '../catalogue/catalogue.ts';
import { type Decider, type Refused, refuse } from '../event-log/decide-and-append.ts';
import type { Person } from '../person/person.ts';
import { type Authority, type Excess, excess, type Powers, powersLimits } from './authority.ts';
import type { OwnLimits, Restriction, RevocationReason, TokenEvent, TokenKind } from './events.ts';
import { type CompanyLimitsById, limitsOfCompany } from './limits.ts';
import { evolve, type LiveToken, noToken, type RevokedToken, statusAt, type Token } from './token.ts';

/** Every command carries its time, Unix milliseconds. `giver` is what the one who asks holds (P13). */
export type TokenCommand =
  CreateToken | CreateSuccessor | ChangeToken | SuspendToken | ResumeToken | RotateToken | RevokeToken;

export interface CreateToken {
  readonly type: 'CreateToken';
  readonly id: string;
  readonly catalogue: Catalogue;
  readonly kind: TokenKind;
  readonly name: string;
  readonly owner: Person;
  readonly scopes: readonly string[];
  readonly restrict: Restriction;
  readonly limits: OwnLimits;
  readonly companies: CompanyLimitsById;
  readonly expiresAtMs: number | null;
  readonly digest: string;
  readonly giver: Authority;
  readonly nowMs: number;
}

/** The first half of a rotation: an inert heir of everything its predecessor has. */
export interface CreateSuccessor {
  readonly type: 'CreateSuccessor';
  readonly id: string;
  readonly predecessor: LiveToken;
  readonly digest: string;
  readonly nowMs: number;
}

export interface ChangeToken {
  readonly type: 'ChangeToken';
  readonly catalogue: Catalogue;
  readonly name?: string;
  readonly scopes?: readonly string[];
  readonly restrict?: Restriction;
  readonly limits?: Partial<OwnLimits>;
  /** Of the company it is pinned to, and of the one it is to be pinned to. */
  readonly companies: CompanyLimitsById;
  readonly expiresAtMs?: number | null;
  readonly giver: Authority;
  readonly nowMs: number;
}

export interface SuspendToken {
  readonly type: 'SuspendToken';
  readonly giver: Authority;
  readonly nowMs: number;
}

export interface ResumeToken {
  readonly type: 'ResumeToken';
  readonly catalogue: Catalogue;
  readonly companies: CompanyLimitsById;
  readonly giver: Authority;
  readonly nowMs: number;
}

/** The second half: the predecessor names its heir, which is thereby active. */
export interface RotateToken {
  readonly type: 'RotateToken';
  readonly catalogue: Catalogue;
  readonly companies: CompanyLimitsById;
  readonly successor: string;
  /** 0: cut-over, dead at once. Null: side by side until revoked. */
  readonly overlapMs: number | null;
  readonly giver: Authority;
  readonly nowMs: number;
}

export interface RevokeToken {
  readonly type: 'RevokeToken';
  readonly reason: RevocationReason;
  readonly note: string | null;
  readonly giver: Authority;
  readonly nowMs: number;
}

export type TokenRefusal =
  | { readonly code: 'not_found' }
  | { readonly code: 'exists' }
  | { readonly code: 'dead'; readonly status: string }
  | { readonly code: 'already_rotated'; readonly successor: string }
  | { readonly code: 'beyond_authority'; readonly excess: Excess }
  | { readonly code: 'unknown_scope'; readonly scope: string }
  | { readonly code: 'no_scopes' }
  | { readonly code: 'not_pinnable' }
  | { readonly code: 'too_many_companies' }
  | { readonly code: 'projects_without_company' }
  | { readonly code: 'expires_in_the_past' };

type Decision = readonly TokenEvent[] | Refused<TokenRefusal>;

export function decide(command: TokenCommand, token: Token): Decision {
  switch (command.type) {
    case 'CreateToken':
      return token.status === 'none' ? create(command) : refuse({ code: 'exists' });
    case 'CreateSuccessor':
      return token.status === 'none' ? createSuccessor(command) : refuse({ code: 'exists' });
    case 'ChangeToken':
    case 'SuspendToken':
    case 'ResumeToken':
    case 'RotateToken':
    case 'RevokeToken':
      // A workspace is a hard boundary: what lies beyond it is not there.
      if (token.status === 'none' || token.workspace !== command.giver.workspace) return refuse({ code: 'not_found' });
      return decideExisting(command, token);
    default:
      return unknownCommand(command);
  }
}

function decideExisting(
  command: ChangeToken | SuspendToken | ResumeToken | RotateToken | RevokeToken,
  token: LiveToken | RevokedToken,
): Decision {
  const at = iso(command.nowMs);
  // Revoking is never refused, metered or made to wait; twice is once.
  if (command.type === 'RevokeToken') {
    if (token.status === 'revoked') return [];
    return [{ type: 'TokenRevoked', data: { reason: command.reason, note: command.note, at } }];
  }
  const status = statusAt(token, true, command.nowMs);
  if (token.status === 'revoked' || (status !== 'active' && status !== 'suspended')) {
    return refuse({ code: 'dead', status });
  }
  switch (command.type) {
    case 'ChangeToken':
      return change(command, token);
    case 'SuspendToken':
      return token.status === 'suspended' ? [] : [{ type: 'TokenSuspended', data: { at } }];
    case 'ResumeToken': {
      if (token.status === 'active') return [];
      const beyond = excess(powersOf(token, command), command.giver);
      return beyond === null
        ? [{ type: 'TokenResumed', data: { at } }]
        : refuse({ code: 'beyond_authority', excess: beyond });
    }
    case 'RotateToken':
      return rotate(command, token);
    default:
      return unknownCommand(command);
  }
}

function create(command: CreateToken): Decision {
  const companyLimits = limitsOfCompany(command.restrict, command.companies);
  const powers: Powers = { ...command, owner: command.owner.id, companyLimits };
  const wrong = misshapen(powers) ?? expired(powers, command.nowMs) ?? beyond(powers, command.giver);
  if (wrong !== null) return refuse(wrong);
  return [
    {
      type: 'TokenCreated',
      data: {
        id: command.id,
        catalogue: command.catalogue.name,
        kind: command.kind,
        name: command.name,
        owner: command.owner,
        workspace: command.giver.workspace,
        scopes: sortedScopes(command.scopes),
        restrict: command.restrict,
        limits: command.limits,
        expires_at: isoOrNull(command.expiresAtMs),
        digest: command.digest,
        lineage: command.id,
        predecessor: null,
        at: iso(command.nowMs),
      },
    },
  ];
}

function createSuccessor({ id, predecessor, digest, nowMs }: CreateSuccessor): Decision {
  return [
    {
      type: 'TokenCreated',
      data: {
        id,
        catalogue: predecessor.catalogue,
        kind: predecessor.kind,
        name: predecessor.name,
        owner: predecessor.owner,
        workspace: predecessor.workspace,
        scopes: predecessor.scopes,
        restrict: predecessor.restrict,
        limits: predecessor.limits,
        expires_at: isoOrNull(predecessor.expiresAtMs),
        digest,
        lineage: predecessor.lineage,
        predecessor: predecessor.id,
        at: iso(nowMs),
      },
    },
  ];
}

function change(command: ChangeToken, token: LiveToken): Decision {
  const before = powersOf(token, command);
  const after: Powers = {
    ...before,
    scopes: command.scopes ?? token.scopes,
    restrict: command.restrict ?? token.restrict,
    limits: { ...token.limits, ...command.limits },
    companyLimits: limitsOfCompany(command.restrict ?? token.restrict, command.companies),
    expiresAtMs: command.expiresAtMs === undefined ? token.expiresAtMs : command.expiresAtMs,
  };
  const expiryChanged = after.expiresAtMs !== token.expiresAtMs;
  const wrong = misshapen(after) ?? (expiryChanged ? expired(after, command.nowMs) : null);
  if (wrong !== null) return refuse(wrong);
  // Narrowing is anyone's; whatever widens in any respect must lie within the giver's own authority altogether.
  if (widens(before, after)) {
    const excessive = beyond(after, command.giver);
    if (excessive !== null) return refuse(excessive);
  }
  const at = iso(command.nowMs);
  const events: TokenEvent[] = [];
  if (command.name !== undefined && command.name !== token.name) {
    events.push({ type: 'TokenRenamed', data: { name: command.name, owner: token.owner.id, at } });
  }
  if (!same(sortedScopes(after.scopes), sortedScopes(token.scopes)) || !same(after.restrict, token.restrict)) {
    events.push({ type: 'TokenScoped', data: { scopes: sortedScopes(after.scopes), restrict: after.restrict, at } });
  }
  if (!same(after.limits, token.limits) || expiryChanged) {
    events.push({
      type: 'TokenLimitsChanged',
      data: { limits: after.limits, expires_at: isoOrNull(after.expiresAtMs), at },
    });
  }
  return events;
}

function rotate(command: RotateToken, token: LiveToken): Decision {
  if (token.rotation !== null) return refuse({ code: 'already_rotated', successor: token.rotation.successor });
  // The answer shows the successor's secret: rotating hands the token over, so it must be the giver's to give.
  const excessive = beyond(powersOf(token, command), command.giver);
  if (excessive !== null) return refuse(excessive);
  return [
    {
      type: 'TokenRotated',
      data: {
        successor: command.successor,
        overlap_ends_at: command.overlapMs === null ? null : iso(command.nowMs + command.overlapMs),
        at: iso(command.nowMs),
      },
    },
  ];
}

const powersOf = (
  token: LiveToken,
  { catalogue, companies }: { readonly catalogue: Catalogue; readonly companies: CompanyLimitsById },
): Powers => ({
  catalogue,
  owner: token.owner.id,
  scopes: token.scopes,
  restrict: token.restrict,
  limits: token.limits,
  companyLimits: limitsOfCompany(token.restrict, companies),
  expiresAtMs: token.expiresAtMs,
});

function misshapen({ catalogue, scopes, restrict }: Powers): TokenRefusal | null {
  if (scopes.length === 0) return { code: 'no_scopes' };
  const unknown = scopes.find((scope) => !Object.hasOwn(catalogue.scopes, scope));
  if (unknown !== undefined) return { code: 'unknown_scope', scope: unknown };
  const pinned = restrict.companies.length > 0 || restrict.projects.length > 0;
  if (pinned && catalogue.pins === 'none') return { code: 'not_pinnable' };
  if (restrict.companies.length > 1) return { code: 'too_many_companies' };
  if (restrict.projects.length > 0 && restrict.companies.length === 0) return { code: 'projects_without_company' };
  return null;
}

const expired = (powers: Powers, nowMs: number): TokenRefusal | null =>
  powers.expiresAtMs !== null && powers.expiresAtMs <= nowMs ? { code: 'expires_in_the_past' } : null;

function beyond(powers: Powers, giver: Authority): TokenRefusal | null {
  const what = excess(powers, giver);
  return what === null ? null : { code: 'beyond_authority', excess: what };
}

function widens(before: Powers, after: Powers): boolean {
  const [limitsBefore, limitsAfter] = [powersLimits(before), powersLimits(after)];
  const loosened = (inner: readonly string[], outer: readonly string[]): boolean =>
    outer.length > 0 && (inner.length === 0 || !inner.every((id) => outer.includes(id)));
  return (
    !after.scopes.every((scope) => before.scopes.includes(scope)) ||
    loosened(after.restrict.companies, before.restrict.companies) ||
    loosened(after.restrict.projects, before.restrict.projects) ||
    limitsAfter.reads > limitsBefore.reads ||
    limitsAfter.writes > limitsBefore.writes ||
    (before.expiresAtMs !== null && (after.expiresAtMs === null || after.expiresAtMs > before.expiresAtMs))
  );
}

const sortedScopes = (scopes: readonly string[]): readonly string[] => [...new Set(scopes)].toSorted();
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

function unknownCommand(command: never): never {
  throw new Error(`unknown token command ${(command as { type: string }).type}`);
}

export const tokenDecider: Decider<TokenCommand, Token, TokenEvent, TokenRefusal> = {
  initialState: noToken,
  decide,
  evolve,
};
