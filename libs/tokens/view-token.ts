import { type Catalogues, expandScopes } from '../catalogue/catalogue.ts';
import type { ViewToken } from '../hot-view/hot-view.ts';
import { ERASED } from '../privacy/erased.ts';
import { limitsInForce, NO_LIMITS } from './limits.ts';
import type { LiveToken, RevokedToken } from './token.ts';

/** A token as it stands in its stream, and whether its predecessor (if any) has named it its heir. */
export interface StandingToken {
  readonly token: LiveToken | RevokedToken;
  readonly revision: number;
  readonly activated: boolean;
}

/** Of a person erased since, the view is told anew, whatever it holds of the same events; the next event is newer still. */
const AFTER_ERASURE = 0.5;

/** What the hot view keeps of a token. One whose catalogue is not loaded is parked, not guessed at. */
export function toViewToken({ token, revision, activated }: StandingToken, catalogues: Catalogues): ViewToken {
  const catalogue = catalogues.named(token.catalogue);
  return {
    id: token.id,
    lineage: token.lineage,
    catalogue: token.catalogue,
    kind: token.kind,
    name: token.name,
    owner: token.owner,
    workspace: token.workspace,
    scopes: token.scopes,
    grants: catalogue === null ? [] : expandScopes(catalogue, token.scopes),
    restrict: token.restrict,
    limits: limitsInForce(token.limits, NO_LIMITS, catalogue?.limits ?? { reads: 0, writes: 0 }),
    ownLimits: token.limits,
    digest: token.digest,
    status: statusOf(token.status, activated, catalogue !== null),
    predecessor: token.predecessor,
    successor: token.rotation?.successor ?? null,
    createdAtMs: token.createdAtMs,
    expiresAtMs: token.expiresAtMs,
    retiresAtMs: token.rotation?.overlapEndsAtMs ?? null,
    version: versionOf(revision, activated) + (token.owner.name === ERASED ? AFTER_ERASURE : 0),
    catalogues: catalogues.digest,
  };
}

/** Grows with the token's own stream, and when its predecessor names it. */
export const versionOf = (revision: number, activated: boolean): number => revision * 2 + (activated ? 1 : 0);

function statusOf(status: 'active' | 'suspended' | 'revoked', activated: boolean, known: boolean): ViewToken['status'] {
  if (status === 'revoked') return 'revoked';
  if (!known) return 'parked';
  return activated ? status : 'inert';
}
