import type { Catalogue } from '../catalogue/catalogue.ts';
import type { ViewToken } from '../hot-view/hot-view.ts';
import { excess } from '../tokens/authority.ts';
import { authorityOf } from '../tokens/authority-of.ts';
import { NO_LIMITS } from '../tokens/limits.ts';
import { lineageKey } from '../tokens/token-id.ts';

/** Which routines a caller sees: what each query has in its WHERE. */
export interface Reach {
  readonly workspace: string;
  /** Null: of any catalogue. */
  readonly catalogue: string | null;
  /** Null: of any token. */
  readonly lineage: string | null;
}

/**
 * Operators see the workspace's; a product's token those of its product; a restricted one its own, since others may
 * name what it must not see (P8).
 */
export function reachOf({ workspace, catalogue, lineage, restrict }: ViewToken): Reach {
  if (catalogue === 'writ') return { workspace, catalogue: null, lineage: null };
  const restricted = restrict.companies.length > 0 || restrict.projects.length > 0;
  return { workspace, catalogue, lineage: restricted ? lineage : null };
}

/**
 * Whether the caller may say what is done under a token: its own lineage's where it holds all that the lineage's newest
 * holds (an old token's overlap must not borrow what only its successor has); an operator any token that it could hand
 * over, too (P13). Null: it may.
 */
export function steeringMistake(caller: ViewToken, under: ViewToken, catalogue: Catalogue): string | null {
  if (caller.catalogue !== 'writ') {
    if (lineageKey(caller.id) !== lineageKey(under.id)) return 'This routine runs under another token.';
    const holds = under.grants.every((scope) => caller.grants.includes(scope));
    const within = covers(caller.restrict.companies, under.restrict.companies);
    if (holds && within && covers(caller.restrict.projects, under.restrict.projects)) return null;
    return 'This routine runs under a successor of this token that holds more than it.';
  }
  const powers = {
    catalogue,
    owner: under.owner.id,
    scopes: under.scopes,
    restrict: under.restrict,
    // In force already, whoever says so.
    limits: under.limits,
    companyLimits: NO_LIMITS,
    expiresAtMs: under.expiresAtMs,
  };
  const beyond = excess(powers, authorityOf(caller));
  return beyond === null ? null : `The token it runs under goes beyond the caller’s own (${beyond}).`;
}

const covers = (outer: readonly string[], inner: readonly string[]): boolean =>
  outer.length === 0 || (inner.length > 0 && inner.every((id) => outer.includes(id)));
