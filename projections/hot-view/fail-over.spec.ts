import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadCatalogues } from '../../libs/catalogue/load-catalogues.ts';
import type { NewEvent } from '../../libs/event-log/event-log.ts';
import type { Verdict } from '../../libs/hot-view/hot-view.ts';
import { RedisHotView } from '../../libs/hot-view/redis/redis-hot-view.ts';
import { loadToken } from '../../libs/tokens/load-token.ts';
import { newTokenId } from '../../libs/tokens/token-id.ts';
import { toViewToken } from '../../libs/tokens/view-token.ts';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { type ReplicatedRedis, startReplicatedRedis } from '../../test/support/redis-replica.ts';
import type { Follower } from './follow.ts';
import { followIntoRedis } from './follow-redis.ts';

jest.setTimeout(120_000);

const DIGEST = 'a'.repeat(64);
const LIMIT = 5;
const NOW = '2026-01-01T00:00:00.000Z';
const catalogues = loadCatalogues(null);

const event = (type: string, data: object): NewEvent => {
  const id = randomUUID();
  return { id, type, data, metadata: { $correlationId: id, $causationId: id, schema: 1 } };
};
const created = (id: string): NewEvent =>
  event('TokenCreated', {
    id,
    catalogue: 'comma',
    kind: 'agent',
    name: 'agent',
    owner: { id: 'jason', name: 'Jason' },
    workspace: 'w1',
    scopes: ['reports:read'],
    restrict: { companies: [], projects: [] },
    limits: { reads: LIMIT, writes: LIMIT },
    expires_at: null,
    digest: DIGEST,
    lineage: id,
    predecessor: null,
    at: NOW,
  });

describe('a fail-over to a replica that lags behind', () => {
  let redis: ReplicatedRedis;
  let log: MemoryEventLog;
  let views: RedisHotView[];
  let follower: Follower;

  beforeAll(async () => {
    redis = await startReplicatedRedis('hot view: fail-over to a lagging replica');
  }, 300_000);
  afterAll(() => redis.stop());
  beforeEach(async () => {
    log = new MemoryEventLog();
    const namespace = `test-${randomUUID()}`;
    views = await Promise.all([0, 1].map(() => RedisHotView.open({ url: redis.url, namespace })));
  });
  afterEach(async () => {
    await follower.stop();
    await Promise.all(views.map((view) => view.close()));
  });

  const follow = async (): Promise<void> => {
    const options = { log, view: views[0]!, catalogues, clock: Date.now, appendDeadlineMs: 500, onFault: () => {} };
    follower = await followIntoRedis(options);
  };
  const admit = (id: string): Promise<Verdict> =>
    views[1]!.admit({ id, digest: DIGEST, scope: null, cost: { reads: 1, writes: 0, handshakes: 0 } });
  const kind = async (id: string): Promise<string> => {
    const verdict = await admit(id);
    return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
  };
  /** As the gate: admitted, then recorded, then confirmed. */
  const use = async (id: string): Promise<string> => {
    const verdict = await admit(id);
    if (verdict.kind !== 'admitted') return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
    const { windowSecond: window_second } = verdict;
    const used = { token: id, budget: 'reads', cost: 1, window_second, time: new Date().toISOString() };
    await log.append(`usage-${randomUUID()}-2026-01-01`, 'no-stream', [event('TokenUsed', used)]);
    return await views[1]!.confirm(verdict);
  };
  /** As the command's handler: log first, then the view. */
  const revoke = async (id: string): Promise<void> => {
    await log.append(`token-${id}`, 0, [event('TokenRevoked', { reason: 'leak', note: null, at: NOW })]);
    const standing = await loadToken(log, id);
    await views[0]!.put([toViewToken(standing!, catalogues)]);
  };

  it('P2 P3 P4 lets nothing revoked pass, hands out no budget, and answers nobody until it is certified anew', async () => {
    const [doomed, limited] = [newTokenId(1), newTokenId(2)];
    for (const id of [doomed, limited]) await log.append(`token-${id}`, 'no-stream', [created(id)]);
    await follow();
    expect([await use(doomed), await use(limited)]).toEqual(['stands', 'stands']);

    await redis.fallBehind();
    const inFlight = await admit(limited);
    if (inFlight.kind !== 'admitted') throw new Error(inFlight.kind);
    expect([await use(limited), await use(limited)]).toEqual(['stands', 'stands']);
    await revoke(doomed);
    expect(await kind(doomed)).toBe('revoked');
    await redis.failOver();

    // The replica holds the token alive, a certificate, and one use; none of it is believed.
    const seen = new Set<string>();
    while (!seen.has('revoked') && !seen.has('admitted')) {
      seen.add(await kind(doomed));
      await sleep(20);
    }
    expect([...seen].toSorted()).toEqual(['not-ready', 'revoked']);
    expect(await views[1]!.confirm(inFlight)).toBe('lapsed');
    // Three were recorded; the one in flight was not, and is not answered.
    const rest = [];
    for (let call = 0; call < 3; call++) rest.push(await use(limited));
    expect(rest).toEqual(['stands', 'stands', 'throttled']);
  });
});
