import type { HotView, ViewToken } from '../hot-view/hot-view.ts';
import type { PauseReason } from './events.ts';

/**
 * The token a lineage acts by now: its newest, dead or alive. A successor counts once its predecessor has named it.
 * Null: the view does not know it, being built.
 * @param from any token of the lineage; the later, the fewer looks
 */
export async function newestOf(view: HotView, from: string): Promise<ViewToken | null> {
  let token = await view.get(from);
  while (token !== null && token.successor !== null) {
    const successor: ViewToken | null = await view.get(token.successor);
    if (successor === null || successor.status === 'inert') break;
    token = successor;
  }
  return token;
}

/** Why no routine can run under the token; null while it is alive. What only the gate can tell (503) is no reason. */
export function deathOf(token: ViewToken, nowMs: number): Exclude<PauseReason, 'by_hand' | 'failures'> | null {
  if (token.status === 'revoked') return 'token_revoked';
  if (token.expiresAtMs !== null && token.expiresAtMs <= nowMs) return 'token_expired';
  if (token.retiresAtMs !== null && token.retiresAtMs <= nowMs) return 'token_rotated';
  return token.status === 'suspended' ? 'token_suspended' : null;
}
