import { type Catalogue, expandScopes } from '../catalogue/catalogue.ts';
import type { OwnLimits, Restriction } from './events.ts';
import { type Limits, limitsInForce } from './limits.ts';

/** What somebody holds, and so may give (P13). For a token: what its record says, in force. */
export interface Authority {
  readonly workspace: string;
  /** Person id. */
  readonly owner: string;
  /** Qualified, implied ones included. */
  readonly grants: readonly string[];
  readonly restrict: Restriction;
  /** Calls a minute, in force. */
  readonly limits: Limits;
  readonly expiresAtMs: number | null;
}

/** What a token would be able to do. */
export interface Powers {
  readonly catalogue: Catalogue;
  readonly owner: string;
  readonly scopes: readonly string[];
  readonly restrict: Restriction;
  readonly limits: OwnLimits;
  /** Of the company it would be pinned to. */
  readonly companyLimits: OwnLimits;
  readonly expiresAtMs: number | null;
}

export type Excess = 'owner' | 'scopes' | 'restriction' | 'limits' | 'lifetime';

/**
 * The first respect in which powers go beyond an authority; null when they stay within it (P13).
 *
 * Scopes of `writ` must be held by the giver. Scopes of a product are held by the person behind the giver, as a
 * member of the workspace: `tokens:write` is the authority to hand those out, to the same person unless the giver has
 * `people:write`.
 */
export function excess(powers: Powers, authority: Authority): Excess | null {
  if (powers.owner !== authority.owner && !authority.grants.includes('writ/people:write')) return 'owner';
  if (powers.catalogue.name === 'writ') {
    const wanted = expandScopes(powers.catalogue, powers.scopes);
    if (!wanted.every((scope) => authority.grants.includes(scope))) return 'scopes';
  }
  if (!within(powers.restrict.companies, authority.restrict.companies)) return 'restriction';
  if (!within(powers.restrict.projects, authority.restrict.projects)) return 'restriction';
  const { reads, writes } = powersLimits(powers);
  if (reads > authority.limits.reads || writes > authority.limits.writes) return 'limits';
  if (authority.expiresAtMs !== null && (powers.expiresAtMs === null || powers.expiresAtMs > authority.expiresAtMs)) {
    return 'lifetime';
  }
  return null;
}

export const powersLimits = ({ limits, companyLimits, catalogue }: Powers): Limits =>
  limitsInForce(limits, companyLimits, catalogue.limits);

/** An empty list restricts nothing, so it lies within nothing but another empty one. */
const within = (inner: readonly string[], outer: readonly string[]): boolean =>
  outer.length === 0 || (inner.length > 0 && inner.every((id) => outer.includes(id)));
