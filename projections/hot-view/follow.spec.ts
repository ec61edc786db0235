import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { madeUse } from '../../test/support/made-use.ts';
import { loadCatalogues } from '../../libs/catalogue/load-catalogues.ts';
import { LogUnavailable, type NewEvent } from '../../libs/event-log/event-log.ts';
import type { Verdict } from '../../libs/hot-view/hot-view.ts';
import { MemoryHotView } from '../../libs/hot-view/memory/memory-hot-view.ts';
import type { TokenCreated, TokenEvent } from '../../libs/tokens/events.ts';
import { newTokenId, successorId } from '../../libs/tokens/token-id.ts';
import type { TokenUse } from '../../libs/usage/use.ts';
import { type Follower, followIntoHotView } from './follow.ts';

const catalogues = loadCatalogues(null);
const DIGEST = 'a'.repeat(64);
const NOW = '2026-01-01T00:00:00.000Z';
let made = 0;

const event = (type: string, data: unknown, more: object = {}): NewEvent => {
  const id = `00000000-0000-4000-8000-${String(made++).padStart(12, '0')}`;
  return { id, type, data, metadata: { $correlationId: id, $causationId: id, schema: 1, ...more } };
};

const created = (id: string, change: Partial<TokenCreated['data']> = {}): NewEvent =>
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
  } satisfies TokenCreated['data']);

const life = ({ type, data }: TokenEvent): NewEvent => event(type, data);

const use = (token: string, change: Partial<TokenUse> = {}): TokenUse =>
  madeUse({ token, workspace: 'w1', time: NOW, request_id: 'r1', client_name: '', ...change });

describe('the hot view follows the log', () => {
  let log: MemoryEventLog;
  let view: MemoryHotView;
  let follower: Follower | null;
  let faults: Error[];
  const start = async (): Promise<void> => {
    follower = await followIntoHotView({
      log,
      view,
      catalogues,
      clock: Date.now,
      onFault: (error) => faults.push(error),
    });
  };
  const admit = (id: string): Verdict =>
    view.admit({ id, digest: DIGEST, scope: 'comma/reports:read', cost: { reads: 1, writes: 0, handshakes: 0 } });
  const kind = (id: string): string => {
    const verdict = admit(id);
    return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
  };
  const eventually = async (id: string, expected: string): Promise<void> => {
    for (let tries = 0; tries < 200 && kind(id) !== expected; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(kind(id)).toBe(expected);
  };

  beforeEach(() => {
    log = new MemoryEventLog();
    view = new MemoryHotView();
    follower = null;
    faults = [];
  });
  afterEach(() => follower?.stop());

  it('P2 P4 nobody is let in before it is built, and the dead stay dead after', async () => {
    const [live, dead] = [newTokenId(1), newTokenId(2)];
    await log.append(`token-${live}`, 'no-stream', [created(live)]);
    await log.append(`token-${dead}`, 'no-stream', [
      created(dead),
      life({ type: 'TokenRevoked', data: { reason: 'by_hand', note: null, at: NOW } }),
    ]);
    expect(kind(live)).toBe('not-ready');
    await start();
    expect([kind(live), kind(dead)]).toEqual(['admitted', 'revoked']);
  });

  it('P3 a restart hands nobody a fresh budget: journals, writes’ own events and lagging clocks count', async () => {
    const id = newTokenId(1);
    await log.append(`token-${id}`, 'no-stream', [created(id)]);
    await log.append('usage-b-2026-01-01', 'no-stream', [
      event('TokenUsed', use(id)),
      // One request, several uses: each counts.
      event('TokenUsed', use(id)),
      event('TokenUsed', use(id, { window_second: Math.floor(Date.now() / 1000) - 600 })),
    ]);
    const written = use(id, { request_id: 'r2', resource: 'report/1' });
    // One write of two events carries one use.
    await log.append('report-1', 'no-stream', [
      event('ReportCreated', {}, { use: written }),
      event('ReportUpdated', {}, { use: written }),
    ]);
    await start();
    expect([kind(id), kind(id)]).toEqual(['admitted', 'throttled']);
  });

  it('a successor is inert until its predecessor names it', async () => {
    const old = newTokenId(1);
    const heir = successorId(old, 2);
    await log.append(`token-${old}`, 'no-stream', [created(old)]);
    await log.append(`token-${heir}`, 'no-stream', [created(heir, { lineage: old, predecessor: old })]);
    await start();
    expect(kind(heir)).toBe('inert');
    await log.append(`token-${old}`, 0, [
      life({ type: 'TokenRotated', data: { successor: heir, overlap_ends_at: null, at: NOW } }),
    ]);
    await eventually(heir, 'admitted');
  });

  it('P2 what another process revokes is dead here', async () => {
    const id = newTokenId(1);
    await log.append(`token-${id}`, 'no-stream', [created(id)]);
    await start();
    await log.append(`token-${id}`, 0, [life({ type: 'TokenRevoked', data: { reason: 'leak', note: null, at: NOW } })]);
    await eventually(id, 'revoked');
  });

  it('P3 P13 a company’s limits are rebuilt, and followed; what nobody knows of it takes nothing away', async () => {
    const id = newTokenId(1);
    const restrict = { companies: ['acme'], projects: [] };
    const limits = { reads: null, writes: null };
    await log.append(`token-${id}`, 'no-stream', [created(id, { restrict, limits })]);
    await log.append('company-acme', 'no-stream', [
      event('CompanyCreated', { id: 'acme', workspace: 'w1', name: 'Acme', at: NOW }),
      event('CompanyLimitsChanged', { reads: 1, writes: null, at: NOW }),
      event('CompanyPainted', { at: NOW }),
    ]);
    await start();
    expect([kind(id), kind(id)]).toEqual(['admitted', 'throttled']);
    await log.append('company-acme', 2, [event('CompanyLimitsChanged', { reads: 3, writes: null, at: NOW })]);
    await eventually(id, 'admitted');
    expect(kind(id)).toBe('throttled');
  });

  it('P3 P13 a workspace’s ceiling is rebuilt with what was taken from it, and followed; unknown events lift nothing', async () => {
    const [one, other, foreign] = [newTokenId(1), newTokenId(2), newTokenId(3)];
    for (const id of [one, other]) await log.append(`token-${id}`, 'no-stream', [created(id)]);
    await log.append(`token-${foreign}`, 'no-stream', [created(foreign, { workspace: 'w2' })]);
    await log.append('workspace-founding', 'no-stream', [event('WorkspaceFounded', { workspace: 'w1', at: NOW })]);
    await log.append('workspace-w1', 'no-stream', [
      event('WorkspaceCeilingChanged', { reads: 3, writes: null, at: NOW }),
      event('WorkspacePainted', { at: NOW }),
    ]);
    const ceiling_second = Math.floor(Date.now() / 1000);
    await log.append('usage-b-2026-01-01', 'no-stream', [
      event('TokenUsed', use(other, { ceiling_second })),
      // A clock that lagged; and a call made before there was a ceiling.
      event('TokenUsed', use(other, { ceiling_second: ceiling_second - 600 })),
      event('TokenUsed', use(other)),
      event('TokenUsed', use(foreign, { workspace: 'w2', ceiling_second })),
    ]);
    await start();
    expect([kind(one), kind(one), kind(foreign)]).toEqual(['admitted', 'ceiling', 'admitted']);
    await log.append('workspace-w1', 1, [event('WorkspaceCeilingChanged', { reads: null, writes: null, at: NOW })]);
    await eventually(one, 'admitted');
  });

  it('P4 a token with an event nobody knows is 503, alone', async () => {
    const [odd, fine] = [newTokenId(1), newTokenId(2)];
    await log.append(`token-${odd}`, 'no-stream', [created(odd), event('TokenTeleported', { at: NOW })]);
    await log.append(`token-${fine}`, 'no-stream', [created(fine)]);
    await start();
    expect([kind(odd), kind(fine)]).toEqual(['not-ready', 'admitted']);
    await log.append(`token-${fine}`, 0, [event('TokenTeleported', { at: NOW })]);
    await eventually(fine, 'not-ready');
    expect(faults).toHaveLength(2);
  });

  it('a log out of reach for a moment parks nobody, and is asked again', async () => {
    const id = newTokenId(1);
    await log.append(`token-${id}`, 'no-stream', [created(id)]);
    await start();
    const readStream = log.readStream.bind(log);
    let failures = 1;
    log.readStream = (stream, options) => {
      if (failures-- > 0) throw new LogUnavailable('gone for a moment');
      return readStream(stream, options);
    };
    await log.append(`token-${id}`, 0, [life({ type: 'TokenRevoked', data: { reason: 'leak', note: null, at: NOW } })]);
    await eventually(id, 'revoked');
    expect(faults).toEqual([new LogUnavailable('gone for a moment')]);
  });
});
