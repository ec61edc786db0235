import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { UsedAtHandler } from './queries.ts';
import { tokenUses } from './token-uses.projection.ts';
import { loadCatalogues } from '../../libs/catalogue/load-catalogues.ts';
import type { NewEvent } from '../../libs/event-log/event-log.ts';
import { type RunningProjection, startProjection } from '../../libs/projection/runner.ts';
import { openReadDb, type ReadDb } from '../../libs/read-db/read-db.ts';
import { UsedAt } from '../../libs/usage/queries.ts';
import { loadCompanyLimits } from '../../libs/tokens/company-limits.ts';
import { companyOf, limitsInForce, limitsOfCompany } from '../../libs/tokens/limits.ts';
import { loadToken } from '../../libs/tokens/load-token.ts';
import { toRecord, type TokenRecord } from '../../libs/tokens/record.ts';
import { newTokenId, successorId } from '../../libs/tokens/token-id.ts';
import { replayToken, replayTokenAt } from '../../libs/tokens/replay/replay-token.ts';

/** Just gone: the log stores the events now, minutes after they say they happened at most. */
const START_MS = Date.now() - 320_000;
const TOKENS = 50;
const MOMENTS = 20;
const at = (ms: number): string => new Date(START_MS + ms).toISOString();

let made = 0;
const event = (type: string, data: object, metadata: object = {}): NewEvent => {
  const id = `00000000-0000-4000-8000-${String(made++).padStart(12, '0')}`;
  return { id, type, data, metadata: { $correlationId: id, $causationId: id, schema: 1, ...metadata } };
};

const used = (token: string, ms: number, budget: string, skewSeconds: number) => ({
  token,
  workspace: 'w1',
  time: at(ms),
  face: 'rest',
  operation: 'list_reports',
  resource: null,
  decision: 'allowed',
  reason: null,
  status: 200,
  duration_ms: 1,
  request_id: `${token}-${ms}-${made}`,
  client_address: '127.0.0.1',
  client_name: '',
  budget,
  cost: 1,
  window_second: Math.floor((START_MS + ms) / 1000) + skewSeconds,
});

const life = fc.record({
  uses: fc.array(
    fc.record({
      ms: fc.integer({ min: 0, max: 300_000 }),
      budget: fc.constantFrom('reads', 'writes', 'refusals'),
      skew: fc.integer({ min: -2, max: 1 }),
      heir: fc.boolean(),
    }),
    { maxLength: 12 },
  ),
  suspendedMs: fc.option(fc.integer({ min: 1, max: 300_000 })),
  rotatedMs: fc.option(fc.integer({ min: 1, max: 300_000 })),
  revokedMs: fc.option(fc.integer({ min: 1, max: 300_000 })),
  pinned: fc.boolean(),
});

describe('a replay', () => {
  const directory = mkdtempSync(join(tmpdir(), 'writ-replay-'));
  const catalogues = loadCatalogues(null);
  const catalogueOf = ({ catalogue }: { readonly catalogue: string }) => catalogues.named(catalogue)!;
  const log = new MemoryEventLog();
  const ids: string[] = [];
  let readDb: ReadDb;
  let running: RunningProjection;

  beforeAll(async () => {
    await log.append('company-acme', 'no-stream', [
      event('CompanyCreated', { id: 'acme', workspace: 'w1', name: 'Acme', at: at(0) }),
      event('CompanyLimitsChanged', { reads: 7, writes: null, at: at(150_000) }),
    ]);
    for (const [index, one] of fc.sample(life, { numRuns: TOKENS, seed: 7 }).entries())
      await write(newTokenId(index), one);
    readDb = await openReadDb({ directory });
    running = await startProjection({ log, readDb, projection: tokenUses });
    expect(await running.waitFor((await log.head()) ?? 0, 120_000)).toBe(true);
  }, 300_000);
  afterAll(async () => {
    await running.stop();
    await readDb.close();
    rmSync(directory, { recursive: true });
  });

  async function write(id: string, one: typeof life extends fc.Arbitrary<infer Life> ? Life : never): Promise<void> {
    const heir = successorId(id, START_MS);
    const created = (of: string, predecessor: string | null, ms: number) =>
      event('TokenCreated', {
        id: of,
        catalogue: 'toado',
        kind: 'agent',
        name: 'agent',
        owner: { id: 'jason', name: 'Jason' },
        workspace: 'w1',
        scopes: ['read'],
        restrict: { companies: one.pinned ? ['acme'] : [], projects: [] },
        limits: { reads: null, writes: 3 },
        expires_at: at(280_000),
        digest: 'd',
        lineage: id,
        predecessor,
        at: at(ms),
      });
    await log.append(`token-${id}`, 'no-stream', [created(id, null, 0)]);
    const changes: [number, NewEvent][] = [];
    if (one.suspendedMs !== null) changes.push([one.suspendedMs, event('TokenSuspended', { at: at(one.suspendedMs) })]);
    if (one.revokedMs !== null) {
      changes.push([one.revokedMs, event('TokenRevoked', { reason: 'leak', note: null, at: at(one.revokedMs) })]);
    }
    if (one.rotatedMs !== null) {
      await log.append(`token-${heir}`, 'no-stream', [created(heir, id, one.rotatedMs)]);
      const rotated = { successor: heir, overlap_ends_at: at(one.rotatedMs + 20_000), at: at(one.rotatedMs) };
      changes.push([one.rotatedMs, event('TokenRotated', rotated)]);
      ids.push(heir);
    }
    ids.push(id);
    const uses = one.uses.map(({ ms, budget, skew, heir: byHeir }) =>
      used(byHeir && one.rotatedMs !== null ? heir : id, ms, budget, skew),
    );
    // Journals of several processes: not in the order of their times.
    for (const [index, use] of uses.entries()) {
      if (index % 3 !== 0) await log.append(`usage-${index % 2}-2026-03-01`, 'any', [event('TokenUsed', use)]);
      // Some were writes of two events, each carrying the one use.
      else await log.append(`report-${use.request_id}`, 'any', [event('A', {}, { use }), event('B', {}, { use })]);
    }
    for (const [, change] of changes.toSorted(([a], [b]) => a - b)) await log.append(`token-${id}`, 'any', [change]);
  }

  /** As `GET /tokens/:id?at=` answers it: from the token's stream and the index of uses. */
  async function readModel(id: string, atMs: number): Promise<TokenRecord | null> {
    const standing = await loadToken(log, id, atMs);
    if (standing === null) return null;
    const { token } = standing;
    const lineage = ids.filter((other) => other.slice(10) === id.slice(10));
    const query = new UsedAt({ token: id, lineage, atMs });
    const { used: taken, lastUsedAt } = await new UsedAtHandler(readDb, log).execute(query);
    const company = companyOf(token.restrict);
    const companies = await loadCompanyLimits(log, 'w1', company === null ? [] : [company], atMs);
    const limits = limitsInForce(token.limits, limitsOfCompany(token.restrict, companies), catalogueOf(token).limits);
    return toRecord(standing, limits, taken, lastUsedAt, atMs);
  }

  it('P10 agrees with the read model for 1,000 random tokens and instants', async () => {
    for (const [index, ms] of fc
      .sample(fc.integer({ min: -1_000, max: 320_000 }), { numRuns: TOKENS * MOMENTS, seed: 3 })
      .entries()) {
      const id = ids[index % ids.length]!;
      const atMs = START_MS + ms;
      expect({ id, ms, record: await replayTokenAt(log, catalogueOf, id, atMs) }).toEqual({
        id,
        ms,
        record: await readModel(id, atMs),
      });
    }
  }, 300_000);

  it('P10 tells each moment of a life once, the last as it is now', async () => {
    const id = ids.at(-1)!;
    const frames = await Array.fromAsync(replayToken(log, catalogueOf, id));
    expect(frames[0]).toMatchObject({ type: 'TokenCreated', record: { status: 'active' } });
    expect(new Set(frames.map(({ position }) => position)).size).toBe(frames.length);
    const last = frames.at(-1)!;
    expect(last.record.status).toBe((await readModel(id, Date.parse(last.time)))?.status);
  });
});
