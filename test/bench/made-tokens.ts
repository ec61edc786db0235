import { hash } from 'node:crypto';
import { encodeTime } from 'ulid';
import type { ViewToken } from '../../libs/hot-view/hot-view.ts';
import { formatToken, tokenDigest } from '../../libs/tokens/token-format.ts';

/** Tokens by number, the same in every process: the one that keeps them and the one that shows them. */

const owner = { id: '01J00000000000000000000000', name: 'Jason' };

export const idOf = (index: number): string =>
  encodeTime(1_700_000_000_000 + index, 10) + hash('sha256', `${index}`).slice(0, 16).toUpperCase();

export const secretOf = (index: number): string => formatToken('comma_sk_', idOf(index), 's'.repeat(32));

/** Names, digest and id of its own, and a limit that no load reaches. */
export function tokenOf(index: number): ViewToken {
  const id = idOf(index);
  return {
    id,
    lineage: id,
    catalogue: 'comma',
    kind: 'agent',
    name: `claude-code on machine ${index}`,
    owner: { ...owner },
    workspace: owner.id,
    scopes: ['reports:read', 'reports:write'],
    grants: ['comma/reports:read', 'comma/reports:write'],
    restrict: { companies: [], projects: [] },
    limits: { reads: 1_000_000_000, writes: 60 },
    ownLimits: { reads: 1_000_000_000, writes: null },
    digest: tokenDigest(secretOf(index)),
    predecessor: null,
    successor: null,
    status: 'active',
    createdAtMs: 1_700_000_000_000 + index,
    expiresAtMs: null,
    retiresAtMs: null,
    version: 0,
    catalogues: '',
  };
}
