import { type Catalogues, expandScopes } from '../catalogue/catalogue.ts';
import type { ViewToken } from '../hot-view/hot-view.ts';
import type { LiveToken, RevokedToken } from './token.ts';

/** A token as it stands in its stream, and whether its predecessor (if any) has named it its heir. */
export interface StandingToken {
  readonly token: LiveToken | RevokedToken;
  readonly revision: number;
  readonly activated: boolean;
}

/**
 * What the hot view keeps of a token.
 * @throws Error when its catalogue is not loaded: such a token is parked, not guessed at
 */
export function toViewToken({ token, revision, activated }: StandingToken, catalogues: Catalogues): ViewToken {
  const catalogue = catalogues.named(token.catalogue);
  if (catalogue === null)
    throw new Error(`token ${token.id} is of the catalogue ${token.catalogue}, which is not loaded`);
  return {
    id: token.id,
    lineage: token.lineage,
    catalogue: token.catalogue,
    kind: token.kind,
    name: token.name,
    owner: token.owner,
    workspace: token.workspace,
    scopes: token.scopes,
    grants: expandScopes(catalogue, token.scopes),
    restrict: token.restrict,
    limits: {
      reads: token.limits.reads ?? catalogue.limits.reads,
      writes: token.limits.writes ?? catalogue.limits.writes,
    },
    digest: token.digest,
    status: token.status === 'revoked' || activated ? token.status : 'inert',
    predecessor: token.predecessor,
    successor: token.rotation?.successor ?? null,
    createdAtMs: token.createdAtMs,
    expiresAtMs: token.expiresAtMs,
    retiresAtMs: token.rotation?.overlapEndsAtMs ?? null,
    version: revision * 2 + (activated ? 1 : 0),
  };
}
