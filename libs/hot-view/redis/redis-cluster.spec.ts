import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ceilingContract } from '../../../test/contract/ceiling.contract.ts';
import { hotViewContract, type OpenedView, viewToken } from '../../../test/contract/hot-view.contract.ts';
import { startRedisCluster, type TestCluster } from '../../../test/support/redis-cluster.ts';
import { newTokenId } from '../../tokens/token-id.ts';
import { type Verdict, ViewUnavailable, type ViewToken } from '../hot-view.ts';
import { Keys, partitionOf } from './keys.ts';
import { RedisHotView, type RedisHotViewOptions } from './redis-hot-view.ts';

jest.setTimeout(120_000);

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startRedisCluster('hot view: redis cluster');
}, 300_000);
afterAll(() => cluster.stop());

const openForContract = async (): Promise<OpenedView> => {
  let offsetMs = 0;
  const view = await RedisHotView.open({
    url: cluster.url,
    namespace: `test-${randomUUID()}`,
    clockOffsetMs: () => offsetMs,
    wallClock: () => Date.now() + offsetMs,
    staleMs: 1_000_000_000,
    commandTimeoutMs: 5_000,
  });
  return {
    view,
    advance: (ms) => {
      offsetMs += ms;
    },
    nowMs: () => Date.now() + offsetMs,
  };
};
hotViewContract('redis cluster', openForContract);
ceilingContract('redis cluster', openForContract);

describe('a hot view in a Redis Cluster', () => {
  const views: RedisHotView[] = [];
  let namespace = '';
  let keys: Keys;
  const openView = async (options: Partial<RedisHotViewOptions> = {}): Promise<RedisHotView> => {
    const view = await RedisHotView.open({ url: cluster.url, namespace, staleMs: 1_000_000, ...options });
    views.push(view);
    return view;
  };
  const admit = (view: RedisHotView, { id, digest }: ViewToken): Promise<Verdict> =>
    view.admit({ id, digest, scope: null, cost: { reads: 1, writes: 0, handshakes: 0 } });
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    while (!(await holds())) await sleep(20);
  };
  const holder = ({ id }: ViewToken) => cluster.nodeOf(keys.token(id));
  /** A token on the node of another, or on any but that. */
  const tokenBeside = async (other: ViewToken, same: boolean): Promise<ViewToken> => {
    for (;;) {
      const token = viewToken({ id: newTokenId(Date.now()) });
      if (((await holder(token)) === (await holder(other))) === same) return token;
    }
  };

  beforeEach(() => {
    namespace = `test-${randomUUID()}`;
    keys = new Keys(namespace);
  });
  afterEach(() => Promise.all(views.splice(0).map((view) => view.close())));

  it('is found from any one of its nodes', async () => {
    const view = await openView({ url: `redis://127.0.0.1:${cluster.nodes[1]!.port}` });
    const tokens = Array.from({ length: 30 }, () => viewToken());
    await view.put(tokens);
    await view.certify(null);
    const verdicts = await Promise.all(tokens.map((token) => admit(view, token)));
    expect(new Set(verdicts.map(({ kind }) => kind))).toEqual(new Set(['admitted']));
  });

  it('sends its scripts again to each node that forgot them', async () => {
    const view = await openView();
    const tokens = Array.from({ length: 30 }, () => viewToken());
    await view.put(tokens);
    await view.certify(null);
    await Promise.all(cluster.nodes.map(({ admin }) => admin.script('FLUSH')));
    const verdicts = await Promise.all(tokens.map((token) => admit(view, token)));
    expect(new Set(verdicts.map(({ kind }) => kind))).toEqual(new Set(['admitted']));
  });

  it('starts on no cluster a node of which may evict what it holds', async () => {
    const { admin } = cluster.nodes[2]!;
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      await expect(openView()).rejects.toThrow('noeviction');
    } finally {
      await admin.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });

  it('P2 P4 a node killed takes only its partitions, and nothing revoked comes back with it', async () => {
    const [one, other] = [await openView(), await openView()];
    const lost = viewToken();
    const kept = await tokenBeside(lost, false);
    await one.put([lost, kept]);
    await one.certify(null);
    const pass = await admit(other, lost);
    if (pass.kind !== 'admitted') throw new Error(pass.kind);
    const node = await holder(lost);
    await node.kill();

    expect((await admit(other, lost)).kind).toBe('not-ready');
    expect(await other.confirm(pass)).toBe('lapsed');
    await expect(one.put([{ ...lost, status: 'revoked', version: 2 }])).rejects.toThrow(ViewUnavailable);
    expect((await admit(other, kept)).kind).toBe('admitted');
    const { doubts, unreached } = await one.partitions.beat(1);
    expect([doubts.has(partitionOf(lost.id)), unreached.has(partitionOf(lost.id))]).toEqual([false, true]);
    expect(unreached.has(partitionOf(kept.id))).toBe(false);
    expect(one.health()).toMatchObject({ ready: true, reason: expect.stringMatching(/^\d+ of 64 partitions are not/) });

    await node.restart();
    await until(async () => (await one.partitions.doubts()).doubts.has(partitionOf(lost.id)));
    expect((await admit(other, lost)).kind).toBe('not-ready');
    const building = await one.partitions.begin('', [partitionOf(lost.id)]);
    await one.build([{ ...lost, status: 'revoked', version: 2 }]);
    expect(await one.partitions.certify(1, building)).toEqual([partitionOf(lost.id)]);
    expect(await admit(other, lost)).toMatchObject({ kind: 'refused', reason: 'revoked' });
    expect(await other.confirm(pass)).toBe('lapsed');
  });

  it('P2 P4 a slot that moves is not ready on its new node, and never answers from half of its keys', async () => {
    const [one, other] = [await openView(), await openView()];
    const token = viewToken();
    const dead = { ...token, status: 'revoked' as const, version: 2 };
    await one.put([token]);
    await one.certify(null);
    expect((await admit(other, token)).kind).toBe('admitted');
    const from = await holder(token);
    const to = cluster.nodes.find((node) => node !== from)!;
    const seen: string[] = [];
    let revoked = false;
    await cluster.moveSlot(keys.token(token.id), to, async () => {
      // Answered or not: once it is, nothing passes any more.
      revoked ||= await one.put([dead]).then(
        () => true,
        () => false,
      );
      const verdict = await admit(other, token);
      seen.push(verdict.kind === 'admitted' && revoked ? 'admitted though revoked' : verdict.kind);
    });
    expect(seen).not.toContain('admitted though revoked');
    expect(seen).toContain('not-ready');
    expect(await holder(token)).toBe(to);
    // All keys are there, and none of them is trusted: nobody knows what was written while they moved.
    expect(await admit(other, token)).toMatchObject({ kind: 'not-ready', reason: expect.stringMatching(/replaced/) });
    await expect(one.put([dead])).rejects.toThrow(ViewUnavailable);
    expect((await one.partitions.beat(1)).doubts.has(partitionOf(token.id))).toBe(true);
    const building = await one.partitions.begin('', [partitionOf(token.id)]);
    await one.build([dead]);
    expect(await one.partitions.certify(1, building)).toEqual([partitionOf(token.id)]);
    expect(await admit(other, token)).toMatchObject({ kind: 'refused', reason: 'revoked' });
  });
});
