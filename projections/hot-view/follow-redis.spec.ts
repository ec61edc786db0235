import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Catalogues } from '../../libs/catalogue/catalogue.ts';
import { loadCatalogues } from '../../libs/catalogue/load-catalogues.ts';
import type { NewEvent } from '../../libs/event-log/event-log.ts';
import { RedisHotView } from '../../libs/hot-view/redis/redis-hot-view.ts';
import { newTokenId } from '../../libs/tokens/token-id.ts';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { type OwnRedis, startOwnRedis } from '../../test/support/redis.ts';
import { type Follower } from './follow.ts';
import { followIntoRedis } from './follow-redis.ts';

const DIGEST = 'a'.repeat(64);
const NOW = '2026-01-01T00:00:00.000Z';

const event = (type: string, data: object): NewEvent => {
  const id = randomUUID();
  return { id, type, data, metadata: { $correlationId: id, $causationId: id, schema: 1 } };
};
const created = (id: string, change: object = {}): NewEvent =>
  event('TokenCreated', {
    id,
    catalogue: 'comma',
    kind: 'agent',
    name: 'agent',
    owner: { id: 'jason', name: 'Jason' },
    workspace: 'w1',
    scopes: ['reports:read'],
    restrict: { companies: [], projects: [] },
    limits: { reads: 5, writes: 5 },
    expires_at: null,
    digest: DIGEST,
    lineage: id,
    predecessor: null,
    at: NOW,
    ...change,
  });
const used = (token: string): NewEvent =>
  event('TokenUsed', { token, budget: 'reads', cost: 1, window_second: Math.floor(Date.now() / 1000), time: NOW });
const revoked = (): NewEvent => event('TokenRevoked', { reason: 'leak', note: null, at: NOW });

let redis: OwnRedis;
beforeAll(async () => {
  redis = await startOwnRedis('hot view: redis follower');
}, 300_000);
afterAll(() => redis.stop());

describe('the shared hot view follows the log', () => {
  let log: MemoryEventLog;
  let namespace: string;
  let followers: Follower[];
  let views: RedisHotView[];
  let id: string;

  const open = async (): Promise<RedisHotView> => {
    const view = await RedisHotView.open({ url: redis.url, namespace });
    views.push(view);
    return view;
  };
  const follow = async (view: RedisHotView, catalogues = loadCatalogues(null)): Promise<Follower> => {
    const follower = await followIntoRedis({
      log,
      view,
      catalogues,
      clock: Date.now,
      appendDeadlineMs: 10,
      onFault: () => {},
    });
    followers.push(follower);
    return follower;
  };
  const kind = async (view: RedisHotView): Promise<string> => {
    const cost = { reads: 1, writes: 0, handshakes: 0 };
    const verdict = await view.admit({ id, digest: DIGEST, scope: 'comma/reports:read', cost });
    return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
  };
  const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await holds())) await sleep(20);
  };

  beforeEach(async () => {
    log = new MemoryEventLog();
    namespace = `test-${randomUUID()}`;
    followers = [];
    views = [];
    id = newTokenId(1);
    await log.append(`token-${id}`, 'no-stream', [created(id)]);
  });
  afterEach(async () => {
    await Promise.all(followers.map((follower) => follower.stop()));
    await Promise.all(views.map((view) => view.close()));
  });

  it('P2 one follower makes the view ready for every process, and dead is dead for all', async () => {
    const [following, other] = [await open(), await open()];
    expect(await kind(other)).toBe('not-ready');
    await follow(following);
    expect(await kind(other)).toBe('admitted');
    await log.append(`token-${id}`, 0, [revoked()]);
    await until(async () => (await kind(other)) === 'revoked');
  });

  it('P4 stays ready as long as anybody follows, and not 2 s longer', async () => {
    const view = await open();
    const [one, another] = [await follow(view), await follow(await open())];
    await one.stop();
    await sleep(2_300);
    expect((await view.partitions.doubts()).doubts.size).toBe(0);
    await another.stop();
    await sleep(2_300);
    expect(await kind(view)).toBe('not-ready');
  });

  it('P3 P4 a second follower’s start ends nobody’s call and hands out no budget', async () => {
    const view = await open();
    await follow(view);
    const pass = await view.admit({ id, digest: DIGEST, scope: null, cost: { reads: 4, writes: 0, handshakes: 0 } });
    if (pass.kind !== 'admitted') throw new Error(pass.kind);
    await follow(await open());
    expect(await view.confirm(pass)).toBe('stands');
    expect([await kind(view), await kind(view)]).toEqual(['admitted', 'throttled']);
  });

  it('P3 P4 certifies anew after Redis lost everything, with the windows the log remembers', async () => {
    const view = await open();
    await follow(view);
    expect(await kind(view)).toBe('admitted');
    await log.append('usage-b-2026-01-01', 'no-stream', [used(id), used(id), used(id), used(id)]);
    await redis.restart();
    await until(() => view.health().reason !== null);
    await until(() => view.health().ready);
    expect([await kind(view), await kind(view)]).toEqual(['admitted', 'throttled']);
  });

  it('P3 P13 a company’s limits reach every process, and outlive a Redis that lost everything', async () => {
    const pinned = newTokenId(1);
    const restrict = { companies: ['acme'], projects: [] };
    await log.append(`token-${pinned}`, 'no-stream', [
      created(pinned, { restrict, limits: { reads: null, writes: null } }),
    ]);
    await log.append('company-acme', 'no-stream', [
      event('CompanyCreated', { id: 'acme', workspace: 'w1', name: 'Acme', at: NOW }),
      event('CompanyLimitsChanged', { reads: 7, writes: null, at: NOW }),
    ]);
    const [view, other] = [await open(), await open()];
    await follow(view);
    const limit = async (): Promise<number> => (await other.usage([pinned]))[0]!.reads.limit;
    expect(await limit()).toBe(7);
    await log.append('company-acme', 1, [event('CompanyLimitsChanged', { reads: 8, writes: null, at: NOW })]);
    await until(async () => (await limit()) === 8);
    await redis.restart();
    await until(() => view.health().reason !== null);
    await until(() => view.health().ready);
    await until(async () => (await limit()) === 8);
  });

  it('P3 a workspace’s ceiling reaches every process, and a Redis that lost everything hands out nothing of it', async () => {
    const wide = { limits: { reads: 50, writes: 50 } };
    const ids = [id, newTokenId(2), newTokenId(3)];
    for (const each of ids.slice(1)) await log.append(`token-${each}`, 'no-stream', [created(each, wide)]);
    const [view, other] = [await open(), await open()];
    await follow(view);
    await log.append('workspace-w1', 'no-stream', [
      event('WorkspaceCeilingChanged', { reads: 6, writes: null, at: NOW }),
    ]);
    await until(async () => (await other.ceilingUsage('w1'))?.reads?.limit === 6);
    /** As the gate: admitted, recorded, confirmed. */
    const call = async (through: RedisHotView, token: string): Promise<string> => {
      const cost = { reads: 1, writes: 0, handshakes: 0 };
      const verdict = await through.admit({ id: token, digest: DIGEST, scope: null, cost });
      if (verdict.kind !== 'admitted') return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
      const seconds = { window_second: verdict.windowSecond, ceiling_second: verdict.ceiling?.windowSecond };
      const use = { token, workspace: 'w1', budget: 'reads', cost: 1, time: NOW, ...seconds };
      await log.append(`usage-${randomUUID()}-2026-01-01`, 'no-stream', [event('TokenUsed', use)]);
      return await through.confirm(verdict);
    };
    for (const token of ids) expect(await call(other, token)).toBe('stands');
    // A second follower's start counts nothing twice.
    await follow(await open());
    expect((await other.ceilingUsage('w1'))?.reads?.used).toBe(3);
    await redis.restart();
    await until(() => view.health().reason !== null);
    await until(() => view.health().reason === null);
    await until(async () => (await call(other, newTokenId(9))) === 'unknown');
    const after = [];
    for (let round = 0; round < 2; round++) for (const token of ids) after.push(await call(other, token));
    expect(after).toEqual([...Array(3).fill('stands'), ...Array(3).fill('ceiling')]);
  });

  it('P3 a server’s clock that leaps ahead empties no window', async () => {
    let offsetMs = 0;
    const view = await RedisHotView.open({ url: redis.url, namespace, clockOffsetMs: () => offsetMs });
    views.push(view);
    await follow(view);
    await log.append('usage-b-2026-01-01', 'no-stream', [used(id), used(id), used(id), used(id)]);
    for (let call = 0; call < 4; call++) expect(await kind(view)).toBe('admitted');
    offsetMs = 3_600_000;
    expect(await kind(view)).toBe('not-ready');
    await until(async () => (await view.partitions.doubts()).doubts.size === 0);
    expect([await kind(view), await kind(view)]).toEqual(['admitted', 'throttled']);
  });

  it('P3 nor does it empty a workspace’s', async () => {
    let offsetMs = 0;
    const view = await RedisHotView.open({ url: redis.url, namespace, clockOffsetMs: () => offsetMs });
    views.push(view);
    await log.append('workspace-w1', 'no-stream', [
      event('WorkspaceCeilingChanged', { reads: 4, writes: null, at: NOW }),
    ]);
    await follow(view);
    const taken = { workspace: 'w1', ceiling_second: Math.floor(Date.now() / 1000) };
    const one = used(id);
    for (let call = 0; call < 3; call++) expect(await kind(view)).toBe('admitted');
    const uses = Array.from({ length: 3 }, () => event('TokenUsed', { ...(one.data as object), ...taken }));
    await log.append('usage-b-2026-01-01', 'no-stream', uses);
    offsetMs = 3_600_000;
    expect(await kind(view)).toBe('not-ready');
    await until(async () => (await view.partitions.doubts()).doubts.size === 0);
    expect([await kind(view), await kind(view)]).toEqual(['admitted', 'ceiling']);
  });

  it('P13 a catalogue changed between two starts is in force, at an unchanged version of the token', async () => {
    const comma = loadCatalogues(null).named('comma')!;
    const includes = ['comments:read'];
    const scopes = { ...comma.scopes, 'reports:read': { ...comma.scopes['reports:read']!, includes } };
    const [before, after] = [new Catalogues([{ ...comma, scopes }]), new Catalogues([comma])];
    const comments = async (view: RedisHotView): Promise<string> => {
      const cost = { reads: 0, writes: 0, handshakes: 0 };
      const verdict = await view.admit({ id, digest: DIGEST, scope: 'comma/comments:read', cost });
      return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
    };
    const [old, fresh] = [await open(), await open()];
    await follow(old, before);
    expect(await comments(old)).toBe('admitted');
    // A new process beside the old one, as while a release is rolled out.
    await follow(fresh, after);
    expect([await comments(old), await comments(fresh)]).toEqual(['missing_scope', 'missing_scope']);
    // The old one writes it anew, and what it writes is put right.
    await log.append(`token-${id}`, 0, [event('TokenRenamed', { name: 'renamed', at: NOW })]);
    await until(async () => (await old.get(id))?.name === 'renamed');
    await until(async () => (await comments(old)) === 'missing_scope');
  });

  it('P4 certifies nothing that was lost while it was built', async () => {
    const view = await open();
    const building = await view.partitions.begin('');
    await redis.restart();
    await until(async () => (await view.partitions.doubts()).doubts.size === 64);
    expect(await view.partitions.certify(null, building)).toEqual([]);
    expect(view.health().ready).toBe(false);
  });
});
