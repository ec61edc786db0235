import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { loadCatalogues } from '../catalogue/load-catalogues.ts';
import type { AppendContext } from '../event-log/decide-and-append.ts';
import { ViewUnavailable, type ViewToken } from '../hot-view/hot-view.ts';
import { MemoryHotView } from '../hot-view/memory/memory-hot-view.ts';
import type { Authority } from './authority.ts';
import type { CreateToken, RevokeToken } from './decide.ts';
import { DecideToken, DecideTokenHandler, HandOver, HandOverHandler } from './token-commands.ts';
import { newTokenId } from './token-id.ts';

const catalogues = loadCatalogues(null);
const comma = catalogues.named('comma')!;
const NOW = Date.parse('2026-01-01T00:00:00.000Z');
const giver: Authority = {
  workspace: 'w1',
  owner: 'jason',
  grants: ['writ/tokens:write'],
  restrict: { companies: [], projects: [] },
  limits: { reads: 600, writes: 60 },
  expiresAtMs: null,
};
const create = (id: string): CreateToken => ({
  type: 'CreateToken',
  id,
  catalogue: comma,
  kind: 'agent',
  name: 'claude-code',
  owner: { id: 'jason', name: 'Jason' },
  scopes: ['reports:read'],
  restrict: { companies: [], projects: [] },
  limits: { reads: null, writes: null },
  companies: new Map(),
  expiresAtMs: null,
  digest: 'd1',
  giver,
  nowMs: NOW,
});
const revoke: RevokeToken = { type: 'RevokeToken', reason: 'by_hand', note: null, giver, nowMs: NOW };
const context = (): AppendContext => ({
  eventId: () => crypto.randomUUID(),
  metadata: { $correlationId: 'r1', $causationId: 'r1', schema: 1 },
});

/** Takes its time to be written, as one over the network does. */
class SlowView extends MemoryHotView {
  reachable = true;

  override async put(tokens: readonly ViewToken[]): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (!this.reachable) throw new ViewUnavailable('gone');
    super.put(tokens);
  }
}

describe('a token that was decided about', () => {
  let log: MemoryEventLog;
  let view: SlowView;
  let decided: DecideTokenHandler;
  let id: string;

  beforeEach(async () => {
    log = new MemoryEventLog();
    view = new SlowView();
    decided = new DecideTokenHandler(log, view, catalogues);
    id = newTokenId(NOW);
    await decided.execute(new DecideToken(id, create(id), context()));
  });

  it('P2 is dead in the view when its revocation is answered', async () => {
    expect(view.get(id)?.status).toBe('active');
    await decided.execute(new DecideToken(id, revoke, context()));
    expect(view.get(id)?.status).toBe('revoked');
  });

  it('P2 is not said to be revoked where the view could not be told; asked again, it is', async () => {
    view.reachable = false;
    const revoking = () => decided.execute(new DecideToken(id, revoke, context()));
    await expect(revoking()).rejects.toBeInstanceOf(ViewUnavailable);
    view.reachable = true;
    expect(await revoking()).toMatchObject({ kind: 'done', events: [] });
    expect(view.get(id)?.status).toBe('revoked');
  });

  it('P2 cut over to its successor, it is dead in the view, and its successor lives', async () => {
    const command = { catalogue: comma, companies: new Map(), overlapMs: 0, giver, nowMs: NOW };
    const call = { ifRevision: undefined, append: context };
    const rotated = await new HandOverHandler(log, view, catalogues).execute(
      new HandOver(id, command, () => 'd2', call),
    );
    if (rotated === null || 'kind' in rotated) throw new Error('not rotated');
    expect(view.get(id)?.retiresAtMs).toBe(NOW);
    expect(view.get(rotated.successor.token.id)?.status).toBe('active');
  });
});
