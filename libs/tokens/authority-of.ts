import type { ViewToken } from '../hot-view/hot-view.ts';
import type { Authority } from './authority.ts';

/** What a calling token holds, in force. A successor's overlap does not shorten what its predecessor may give. */
export const authorityOf = (token: ViewToken): Authority => ({
  workspace: token.workspace,
  owner: token.owner.id,
  grants: token.grants,
  restrict: token.restrict,
  limits: token.limits,
  expiresAtMs: token.expiresAtMs,
});
