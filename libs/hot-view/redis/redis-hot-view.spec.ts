import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { viewToken } from '../../../test/contract/hot-view.contract.ts';
import { type OwnRedis, startOwnRedis } from '../../../test/support/redis.ts';
import { NO_CEILING } from '../../workspace/events.ts';
import { GIVE_BACK } from './ceiling.lua.ts';
import { type Pass, type Verdict, ViewUnavailable, type ViewToken } from '../hot-view.ts';
import { Keys, partitionOf, partitionOfWorkspace } from './keys.ts';
import { RedisHotView, type RedisHotViewOptions } from './redis-hot-view.ts';

let redis: OwnRedis;
let admin: Redis;
const views: RedisHotView[] = [];
let namespace = '';

const openView = async (options: Partial<RedisHotViewOptions> = {}): Promise<RedisHotView> => {
  const view = await RedisHotView.open({ url: redis.url, namespace, ...options });
  views.push(view);
  return view;
};
const admit = (view: RedisHotView, { id, digest }: ViewToken, scope: string | null = null): Promise<Verdict> =>
  view.admit({ id, digest, scope, cost: { reads: 1, writes: 0, handshakes: 0 } });
const beat = async (view: RedisHotView, position: number | null): Promise<string | null> => {
  const { doubts, unreached } = await view.partitions.beat(position);
  const [doubt = null] = [...doubts.values(), ...[...unreached.values()].map(({ message }) => message)];
  return doubt;
};
const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(20);
};

beforeAll(async () => {
  redis = await startOwnRedis('hot view: redis under faults');
  admin = new Redis(redis.url, { retryStrategy: () => 50 });
  admin.on('error', () => {});
}, 300_000);
afterAll(async () => {
  admin.disconnect();
  await redis.stop();
});
beforeEach(() => {
  namespace = `test-${randomUUID()}`;
});
afterEach(() => Promise.all(views.splice(0).map((view) => view.close())));

describe('a Redis hot view', () => {
  it('P3 shares one limit between processes, however they race', async () => {
    const [one, other] = [await openView(), await openView()];
    const token = viewToken({ limits: { reads: 50, writes: 1 } });
    await one.put([token]);
    await one.certify(null);
    const verdicts = await Promise.all(
      Array.from({ length: 120 }, (_, call) => admit(call % 2 === 0 ? one : other, token)),
    );
    expect(verdicts.filter(({ kind }) => kind === 'admitted')).toHaveLength(50);
    expect((await other.usage([token.id]))[0]!.reads.used).toBe(50);
  });

  describe('below a workspace’s ceiling', () => {
    const workspace = 'w1';
    const headerOf = (partition: number): string => new Keys(namespace).header(partition);
    const partition = partitionOfWorkspace(workspace);
    const ceiling = (reads: number, version = 0) => [{ id: workspace, ceiling: { reads, writes: null }, version }];
    /** Of a partition that is not the workspace's own. */
    const elsewhere = (): ViewToken => {
      for (;;) {
        const token = viewToken({ limits: { reads: 1_000, writes: 1 } });
        if (partitionOf(token.id) !== partition) return token;
      }
    };
    const usedOf = async (view: RedisHotView, { id }: ViewToken): Promise<number> =>
      (await view.usage([id]))[0]!.reads.used;
    const evaluations = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);

    it('P3 shares it between processes and tokens, however they race', async () => {
      const [one, other] = [await openView(), await openView()];
      const tokens = Array.from({ length: 6 }, elsewhere);
      await one.put(tokens);
      await one.certify(null);
      await one.putWorkspaces(ceiling(50));
      const verdicts = await Promise.all(
        Array.from({ length: 150 }, (_, call) => admit(call % 2 === 0 ? one : other, tokens[call % 6]!)),
      );
      expect(verdicts.filter(({ kind }) => kind === 'admitted')).toHaveLength(50);
      expect(verdicts.filter((verdict) => verdict.kind === 'refused' && verdict.reason === 'ceiling')).toHaveLength(
        100,
      );
      expect((await other.ceilingUsage(workspace))?.reads?.used).toBe(50);
      const used = await Promise.all(tokens.map((token) => usedOf(one, token)));
      expect(used.reduce((sum, each) => sum + each, 0)).toBe(50);
      // Log, then view: the other process asks nobody what the ceiling is now.
      await one.putWorkspaces(ceiling(60, 1));
      const more = await Promise.all(Array.from({ length: 20 }, () => admit(other, tokens[0]!)));
      expect(more.filter(({ kind }) => kind === 'admitted')).toHaveLength(10);
    });

    it('asks twice only where there is a ceiling: where there is none a call is one script', async () => {
      const view = await openView();
      const token = elsewhere();
      await view.put([token]);
      await view.certify(null);
      await admit(view, token);
      const calls = async (): Promise<number> => {
        const before = await evaluations();
        await admit(view, token);
        return (await evaluations()) - before;
      };
      expect(await calls()).toBe(1);
      await view.putWorkspaces([{ id: 'w2', ceiling: { reads: 1, writes: 1 }, version: 0 }]);
      expect(await calls()).toBe(1);
      await view.putWorkspaces(ceiling(50));
      await admit(view, token);
      expect(await calls()).toBe(2);
      await view.putWorkspaces([{ id: workspace, ceiling: { reads: null, writes: null }, version: 1 }]);
      expect(await calls()).toBe(1);
    });

    it('P4 lets nobody in while the workspace’s partition does not stand, and takes nothing of the token', async () => {
      const view = await openView();
      const token = elsewhere();
      await view.put([token]);
      await view.certify(null);
      await view.putWorkspaces(ceiling(50));
      expect((await admit(view, token)).kind).toBe('admitted');
      await admin.hset(headerOf(partition), 'run_id', 'another');
      expect(await admit(view, token)).toMatchObject({
        kind: 'not-ready',
        reason: 'its server was restarted or replaced',
      });
      expect(await usedOf(view, token)).toBe(1);
      expect(view.health().reason).toMatch(/^1 of 64 partitions are not ready/);
      // Without a ceiling that partition is not asked.
      await expect(view.putWorkspaces([{ id: workspace, ceiling: NO_CEILING, version: 1 }])).rejects.toThrow(
        ViewUnavailable,
      );
      expect((await admit(view, token)).kind).toBe('admitted');
    });

    it('P4 ends calls in flight whose workspace’s partition was certified anew', async () => {
      const view = await openView();
      const [token, other] = [elsewhere(), { ...elsewhere(), workspace: 'w2' }];
      await view.put([token]);
      await view.put([other]);
      await view.certify(null);
      await view.putWorkspaces(ceiling(50));
      const passes = [await admit(view, token), await admit(view, other)];
      if (passes[0]!.kind !== 'admitted' || passes[1]!.kind !== 'admitted') throw new Error('not admitted');
      expect(await Promise.all(passes.map((pass) => view.confirm(pass as Pass)))).toEqual(['stands', 'stands']);
      await admin.hset(headerOf(partition), 'run_id', 'another');
      expect(await view.confirm(passes[0]!)).toBe('lapsed');
      await view.certify(1);
      expect(await view.confirm(passes[0]!)).toBe('lapsed');
      expect(await view.confirm(passes[1]!)).toBe(partitionOf(other.id) === partition ? 'lapsed' : 'stands');
    });

    it('P3 gives back nothing to windows that were built anew meanwhile: what it took is not in them', async () => {
      const view = await openView();
      const token = elsewhere();
      await view.put([token]);
      await view.certify(null);
      const pass = await admit(view, token);
      if (pass.kind !== 'admitted') throw new Error(pass.kind);
      const keys = new Keys(namespace);
      const home = partitionOf(token.id);
      const touched = [keys.header(home), keys.token(token.id), keys.windows(token.id), keys.companies(home)];
      const giveBack = (epoch: string) =>
        admin.eval(GIVE_BACK, touched.length, ...touched, '', 0, 10_000, epoch, pass.windowSecond, 1, 0, 0, 0);
      // All is lost before it is given back, and built again from the log, which does not know of it.
      await admin.del(keys.windows(token.id));
      await admin.hset(headerOf(home), 'run_id', 'another');
      await giveBack(pass.epoch);
      await view.refill([{ token: token.id, budget: 'reads', cost: 3, windowSecond: pass.windowSecond }]);
      await giveBack(pass.epoch);
      await view.certify(1);
      await giveBack(pass.epoch);
      expect(await usedOf(view, token)).toBe(3);
      const again = await admit(view, token);
      if (again.kind !== 'admitted') throw new Error(again.kind);
      await giveBack(again.epoch);
      expect(await usedOf(view, token)).toBe(3);
    });
  });

  it('P2 a revocation by one process ends the other’s calls, and calls in flight', async () => {
    const [one, other] = [await openView(), await openView()];
    const token = viewToken();
    await one.put([token]);
    await one.certify(null);
    const pass = await admit(other, token);
    if (pass.kind !== 'admitted') throw new Error(pass.kind);
    expect(await Promise.all([other.confirm(pass), other.confirm(pass)])).toEqual(['stands', 'stands']);
    await one.put([{ ...token, status: 'revoked', version: 2 }]);
    expect(await other.confirm(pass)).toBe('dead');
    expect(await admit(other, token)).toMatchObject({ kind: 'refused', reason: 'revoked', token: { version: 2 } });
  });

  it('sends its scripts again to a server that forgot them', async () => {
    const view = await openView();
    const token = viewToken();
    await view.put([token]);
    await view.certify(null);
    await admin.script('FLUSH');
    expect((await admit(view, token)).kind).toBe('admitted');
  });

  it('P4 lets nobody in once its data is gone, and ends calls in flight', async () => {
    const view = await openView();
    const token = viewToken();
    await view.put([token]);
    await view.certify(null);
    const pass = await admit(view, token);
    if (pass.kind !== 'admitted') throw new Error(pass.kind);
    await admin.flushall();
    expect((await admit(view, token)).kind).toBe('not-ready');
    expect(view.health()).toEqual({ ready: true, reason: '1 of 64 partitions are not ready: it is being built' });
    expect(await beat(view, 1)).toBe('it is being built');
    expect(view.health()).toEqual({ ready: false, reason: 'it is being built' });
    await view.put([token]);
    await view.certify(2);
    expect(await view.confirm(pass)).toBe('lapsed');
    expect((await admit(view, token)).kind).toBe('admitted');
  });

  it('P4 trusts nothing another run of the server certified, even with all data there', async () => {
    const view = await openView();
    const token = viewToken();
    await view.put([token]);
    await view.certify(null);
    // As after a fail-over: the header of another run, replicated.
    for (const key of await admin.keys(`{${namespace}:*}:header`)) await admin.hset(key, 'run_id', 'another');
    expect(await admit(view, token)).toMatchObject({
      kind: 'not-ready',
      reason: 'its server was restarted or replaced',
    });
    await expect(view.put([{ ...token, status: 'revoked', version: 2 }])).rejects.toThrow(ViewUnavailable);
    expect(await beat(view, 1)).toBe('its server was restarted or replaced');
    await view.certify(1);
    expect(await admit(view, token)).toMatchObject({ kind: 'refused', reason: 'revoked' });
  });

  it('P4 is not ready while the server is gone, nor after its restart, until certified again', async () => {
    const view = await openView();
    const token = viewToken();
    await view.put([token]);
    await view.certify(null);
    await redis.restart();
    await until(async () => (await beat(view, null)) === 'it is being built');
    expect((await admit(view, token)).kind).toBe('not-ready');
    await view.put([token]);
    await view.certify(null);
    expect((await admit(view, token)).kind).toBe('admitted');
  });

  it('P4 answers not-ready, and no success to a write, where the server cannot be reached', async () => {
    const gone = await startOwnRedis('hot view: redis out of reach');
    const view = await openView({ url: gone.url });
    const token = viewToken();
    await view.put([token]);
    await view.certify(null);
    await gone.stop();
    expect((await admit(view, token)).kind).toBe('not-ready');
    await expect(view.put([{ ...token, version: 2 }])).rejects.toThrow(ViewUnavailable);
    await expect(view.get(token.id)).rejects.toThrow(ViewUnavailable);
    await until(() => !view.health().ready);
  });

  it('P4 answers in time where the server hangs', async () => {
    const view = await openView({ commandTimeoutMs: 100 });
    await view.certify(null);
    await admin.client('PAUSE', 1_000);
    expect((await admit(view, viewToken())).kind).toBe('not-ready');
    await expect(view.put([viewToken()])).rejects.toThrow(ViewUnavailable);
    await admin.client('UNPAUSE');
  });

  it('P4 is not ready when nobody has followed the log for 2 s, and a late beat revives nothing', async () => {
    let offsetMs = 0;
    const view = await openView({ clockOffsetMs: () => offsetMs });
    const token = viewToken();
    await view.put([token]);
    await view.certify(1);
    expect(await beat(view, 2)).toBeNull();
    expect((await admit(view, token)).kind).toBe('admitted');
    offsetMs = 2_001;
    expect(await admit(view, token)).toMatchObject({ kind: 'not-ready', reason: 'it does not follow the log' });
    await expect(view.put([{ ...token, version: 2 }])).rejects.toThrow(ViewUnavailable);
    expect(await beat(view, 3)).toBe('it does not follow the log');
    await view.certify(3);
    expect((await admit(view, token)).kind).toBe('admitted');
  });

  it('P3 a server’s clock that runs back opens no window: a little is waited out, more is not ready', async () => {
    let offsetMs = 100_000;
    const view = await openView({ clockOffsetMs: () => offsetMs, staleMs: 1_000_000 });
    const token = viewToken({ limits: { reads: 1, writes: 1 } });
    await view.put([token]);
    await view.certify(null);
    const first = await admit(view, token);
    offsetMs -= 1_000;
    const second = await admit(view, token);
    if (first.kind !== 'admitted' || second.kind !== 'refused') throw new Error(`${first.kind}, ${second.kind}`);
    expect(second.windowSecond).toBeGreaterThanOrEqual(first.windowSecond);
    offsetMs -= 30_000;
    expect(await admit(view, token)).toMatchObject({ kind: 'not-ready', reason: 'the clock of its server ran back' });
  });

  it('P2 an expiry that has passed by the caller’s clock has passed, however far the server’s lags', async () => {
    let wallMs = Date.now();
    const view = await openView({ wallClock: () => wallMs });
    const token = viewToken({ expiresAtMs: wallMs + 60_000 });
    await view.put([token]);
    await view.certify(null);
    const pass = await admit(view, token);
    if (pass.kind !== 'admitted') throw new Error(pass.kind);
    wallMs += 60_000;
    expect(await view.confirm(pass)).toBe('dead');
    expect(await admit(view, token)).toMatchObject({ kind: 'refused', reason: 'expired' });
  });

  it('P3 a refill of a live view takes nothing back of what it has counted', async () => {
    const view = await openView();
    const token = viewToken();
    await view.put([token]);
    await view.certify(null);
    const pass = await view.admit({ ...token, scope: null, cost: { reads: 3, writes: 0, handshakes: 0 } });
    if (pass.kind !== 'admitted') throw new Error(pass.kind);
    const recorded = { token: token.id, budget: 'reads' as const, cost: 1 };
    await view.refill([
      { ...recorded, windowSecond: pass.windowSecond },
      { ...recorded, windowSecond: pass.windowSecond - 5 },
    ]);
    expect((await view.usage([token.id]))[0]!.reads.used).toBe(4);
  });

  it('P3 counts a use once that a replica still held and the log recorded a second after it was metered', async () => {
    const view = await openView();
    const token = viewToken({ limits: { reads: 50, writes: 1 } });
    await view.put([token]);
    await view.certify(null);
    const pass = await admit(view, token);
    if (pass.kind !== 'admitted') throw new Error(pass.kind);
    const recorded = { token: token.id, budget: 'reads', cost: 1, windowSecond: pass.windowSecond } as const;
    await sleep(1_100);
    await view.refill([{ ...recorded, recordedAgoSeconds: 0 }]);
    expect((await view.usage([token.id]))[0]!.reads.used).toBe(1);
  });

  it('P3 keeps the windows of a busy lineage within 1 KiB, and not beyond their minute', async () => {
    let offsetMs = 0;
    const view = await openView({ clockOffsetMs: () => offsetMs, staleMs: 1_000_000 });
    const token = viewToken({ limits: { reads: 60_000, writes: 60_000 } });
    await view.put([token]);
    await view.certify(null);
    for (let second = 0; second < 61; second++) {
      await view.admit({ ...token, scope: null, cost: { reads: 900, writes: 900, handshakes: 9 } });
      await admit(view, token, 'comma/none');
      offsetMs += 1_000;
    }
    const [key] = await admin.keys(`{${namespace}:*}:windows:*`);
    expect(await admin.strlen(key!)).toBeLessThanOrEqual(1024);
    const ttl = await admin.ttl(key!);
    expect(ttl > 0 && ttl <= 62).toBe(true);
  });

  it('starts on no server that may evict what it holds', async () => {
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      await expect(openView()).rejects.toThrow('noeviction');
    } finally {
      await admin.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });
});
