import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RecordedEvent } from '../event-log/event-log.ts';
import { newTokenId } from '../tokens/token-id.ts';
import type { Digest } from './digest.ts';
import { DigestFold } from './digest-fold.ts';
import { DAY_MS, parsePeriod, type Period } from './period.ts';

const DAY = parsePeriod('2026-11-24')!;
const HOUR_MS = 3_600_000;
const CLOSED_AT = 1_000_000;

const iso = (ms: number): string => new Date(ms).toISOString();

let position = 0;
const event = (stream: string, type: string, data: object, metadata: object = {}): RecordedEvent => ({
  id: randomUUID(),
  type,
  data,
  metadata: { $correlationId: 'r', $causationId: 'r', schema: 1, ...metadata },
  stream,
  revision: 0,
  position: ++position,
  recordedAt: 0,
});

const jason = { id: 'jason', name: 'Jason' };
const actor = { person: { id: 'mia', name: 'Mia' }, token: 'OP', label: 'operator', face: 'rest' };

const created = (id: string, atMs: number, more: object = {}): RecordedEvent => {
  const life = { catalogue: 'comma', kind: 'agent', name: `agent ${id.slice(-4)}`, owner: jason, workspace: 'w1' };
  const powers = { scopes: ['reports:read'], restrict: { companies: [], projects: [] }, expires_at: null };
  const data = { id, ...life, ...powers, limits: { reads: null, writes: null }, digest: 'd', lineage: id };
  return event(`token-${id}`, 'TokenCreated', { ...data, predecessor: null, at: iso(atMs), ...more }, { actor });
};

const useData = (token: string, timeMs: number, more: object = {}) => ({
  token,
  workspace: 'w1',
  time: iso(timeMs),
  face: 'rest',
  operation: 'list_reports',
  resource: null,
  decision: 'allowed',
  reason: null,
  status: 200,
  duration_ms: 1,
  request_id: randomUUID(),
  client_address: '192.0.2.7',
  client_name: 'curl',
  budget: 'reads',
  cost: 1,
  window_second: 1,
  ...more,
});
const used = (token: string, timeMs: number, more: object = {}): RecordedEvent =>
  event('usage-1', 'TokenUsed', useData(token, timeMs, more));

const scopeNeeded = (operation: string): string | null =>
  ({ list_reports: 'reports:read', create_report: 'reports:write' })[operation] ?? null;

function digestOf(events: readonly RecordedEvent[], period: Period = DAY, workspace = 'w1'): Digest {
  const fold = new DigestFold({ period, position: CLOSED_AT }, scopeNeeded);
  for (const each of events) fold.play(each);
  const digest = fold.digests().get(workspace);
  if (digest === undefined) throw new Error(`no digest of ${workspace}`);
  return digest;
}

const [one, two] = [newTokenId(DAY.fromMs - DAY_MS), newTokenId(DAY.fromMs - DAY_MS + 1)] as const;
const noon = DAY.fromMs + 12 * HOUR_MS;

describe('a digest', () => {
  it('tells what was done to tokens, by whom and why', () => {
    const id = newTokenId(noon);
    const life = (type: string, data: object) =>
      event(`token-${id}`, type, { ...data, at: iso(noon + HOUR_MS) }, { actor });
    const digest = digestOf([
      created(id, noon, { scopes: ['reports:read', 'reports:write'], expires_at: iso(noon + 2 * HOUR_MS) }),
      life('TokenScoped', { scopes: ['comments:read', 'reports:read'], restrict: { companies: [], projects: [] } }),
      life('TokenRotated', { successor: two, overlap_ends_at: null }),
      life('TokenRevoked', { reason: 'leak', note: 'pasted into a chat' }),
    ]);
    expect(digest.changes).toMatchObject({
      items: [
        { change: 'created', token: { id, owner: jason }, by: actor, at: iso(noon) },
        { change: 'scoped', added: ['comments:read'], removed: ['reports:write'] },
        { change: 'rotated', successor: two },
        { change: 'revoked', reason: 'leak', note: 'pasted into a chat', by: actor },
      ],
      more: 0,
    });
    expect(digest.totals).toMatchObject({ tokens_created: 1, tokens_scoped: 1, tokens_rotated: 1, tokens_revoked: 1 });
    // Revoked before its time was up.
    expect([digest.totals.tokens_expired, digest.totals.tokens_alive]).toEqual([0, 0]);
  });

  it('tells unused tokens and scopes, as they were at the end of the period', () => {
    const digest = digestOf([
      created(one, DAY.fromMs - DAY_MS, { scopes: ['reports:read', 'reports:write'] }),
      created(two, DAY.fromMs - DAY_MS),
      used(one, noon),
      used(one, noon, { operation: 'create_report', decision: 'refused', reason: 'missing_scope' }),
      // After the period: its digest does not know yet.
      event(`token-${two}`, 'TokenRevoked', { reason: 'idle', note: null, at: iso(DAY.toMs) }),
    ]);
    expect(digest.unused_tokens.items).toMatchObject([{ token: { id: two }, status: 'active' }]);
    expect(digest.unused_scopes.items).toMatchObject([
      { token: { id: one }, unused: ['reports:write'], needed: ['reports:read'] },
    ]);
    expect(digest.totals).toMatchObject({ tokens_alive: 2, tokens_used: 1, tokens_revoked: 0 });
  });

  it('counts a write of several events once, and refusals counted together by their number', () => {
    const use = useData(one, noon, { operation: 'create_report', resource: 'report/1' });
    const denied = { token: one, face: 'mcp', operation: 'get_report', reason: 'throttled', address: '192.0.2.0/24' };
    const digest = digestOf([
      created(one, DAY.fromMs - DAY_MS),
      event('report-1', 'ReportCreated', {}, { actor, use }),
      event('report-1', 'ReportPublished', {}, { actor, use }),
      event('denials-2026-11-24', 'TokenUsesDenied', { ...denied, count: 7, from: iso(noon), to: iso(noon) }),
      event('denials-2026-11-24', 'TokenUsesDenied', {
        ...denied,
        token: null,
        count: 9,
        from: iso(noon),
        to: iso(noon),
      }),
    ]);
    expect(digest.totals).toMatchObject({ allowed: 1, failed: 0, denied: 7, throttled: 7 });
    expect(digest.throttled_tokens.items).toMatchObject([{ token: { id: one }, throttled: 7 }]);
    expect(digest.faces).toMatchObject([{ face: 'rest', allowed: 1 }, { face: 'mcp', denied: 7 }, {}, {}]);
  });

  it('tells what routines did, under the name they have', () => {
    const at = iso(DAY.fromMs - HOUR_MS);
    const digest = digestOf([
      created(one, DAY.fromMs - DAY_MS),
      event('routine-R1', 'RoutineCreated', { name: 'nightly', at }),
      used(one, noon, { face: 'routine', client_name: 'routine R1', client_address: 'routine' }),
    ]);
    expect(digest.routines.items).toEqual([{ routine: 'R1', name: 'nightly', allowed: 1, failed: 0, denied: 0 }]);
    expect(digest.first_seen_addresses.items).toEqual([]);
  });

  it('tells addresses not called from in the 30 days before, by the lineage', () => {
    const heir = `${newTokenId(noon).slice(0, 10)}${one.slice(10)}`;
    const digest = digestOf([
      created(one, DAY.fromMs - 60 * DAY_MS),
      used(one, DAY.fromMs - 31 * DAY_MS, { client_address: '198.51.100.1' }),
      used(one, DAY.fromMs - 29 * DAY_MS, { client_address: '198.51.100.2' }),
      created(heir, noon, { lineage: one, predecessor: one }),
      event(`token-${one}`, 'TokenRotated', { successor: heir, overlap_ends_at: iso(noon), at: iso(noon) }),
      used(heir, noon, { client_address: '198.51.100.1' }),
      used(heir, noon, { client_address: '198.51.100.2' }),
    ]);
    expect(digest.first_seen_addresses).toMatchObject({
      items: [{ address: '198.51.100.1', token: { id: heir }, decision: 'allowed' }],
      more: 0,
      complete: true,
    });
  });

  it('counts calls that an earlier period missed, and says so', () => {
    const late = used(one, DAY.fromMs - HOUR_MS);
    const before = event('period-2026-11-23', 'PeriodClosed', {});
    const digest = digestOf([created(one, DAY.fromMs - DAY_MS), used(one, DAY.fromMs - 1), before, late]);
    expect(digest.totals).toMatchObject({ late: 1, allowed: 0 });
  });

  it('keeps within one event, however much there was, and says how much it leaves out', () => {
    const tokens = Array.from({ length: 700 }, (_, index) => newTokenId(DAY.fromMs - DAY_MS + index));
    const scopes = Array.from({ length: 40 }, (_, index) => `a-rather-long-scope-of-its-own-${index}`);
    const events = tokens.flatMap((id) => [created(id, noon, { scopes }), used(id, noon)]);
    const digest = digestOf(events);
    expect(Buffer.byteLength(JSON.stringify(digest))).toBeLessThan(1024 * 1024);
    expect(digest.totals).toMatchObject({ tokens_created: 700, tokens_used: 700 });
    for (const { items, more } of [digest.changes, digest.tokens, digest.unused_scopes]) {
      expect(items.length + more).toBe(700);
      expect(items.length).toBeGreaterThan(50);
    }
  });

  it('leaves of many changes of one kind room for another', () => {
    const tokens = Array.from({ length: 501 }, (_, index) => newTokenId(DAY.fromMs - DAY_MS + index));
    const gone = event(`token-${tokens[0]}`, 'TokenRevoked', { reason: 'idle', note: null, at: iso(noon) });
    const { changes } = digestOf([...tokens.map((id) => created(id, noon)), gone]);
    expect([changes.items.length, changes.more]).toEqual([501, 1]);
    expect(changes.items.at(-1)).toMatchObject({ change: 'revoked', reason: 'idle' });
  });

  it('P13 is of one workspace alone', () => {
    const elsewhere = created(two, noon, { workspace: 'w2', name: 'theirs' });
    const own = [created(one, noon), used(one, noon)];
    const both = [...own, elsewhere, used(two, noon, { workspace: 'w2', client_address: '203.0.113.9' })];
    expect(JSON.stringify(digestOf(both))).toBe(JSON.stringify(digestOf(own)));
    expect(digestOf(both, DAY, 'w2').totals).toMatchObject({ allowed: 1, tokens_created: 1 });
  });
});

/** Calls of a few tokens of two workspaces, in and around the period, some of them carried by several events of a write. */
const TOKENS = [
  { id: one, workspace: 'w1' },
  { id: two, workspace: 'w1' },
  { id: newTokenId(DAY.fromMs - DAY_MS + 2), workspace: 'w2' },
] as const;

const call = fc.record({
  of: fc.constantFrom(...TOKENS),
  timeMs: fc.integer({ min: DAY.fromMs - 40 * DAY_MS, max: DAY.toMs + DAY_MS }),
  inside: fc.boolean(),
  how: fc.constantFrom('allowed', 'failed', 'throttled', 'missing_scope'),
  face: fc.constantFrom('rest', 'mcp', 'routine', 'cli'),
  operation: fc.constantFrom('list_reports', 'create_report', 'get_report'),
  address: fc.integer({ min: 1, max: 4 }),
  as: fc.constantFrom('journal', 'write', 'counted'),
  times: fc.integer({ min: 1, max: 3 }),
});
type Call = ReturnType<(typeof call)['generate']>['value'];

const timeOf = ({ inside, timeMs }: Call): number => (inside ? DAY.fromMs + (timeMs % DAY_MS) : timeMs);
const outcomeOf = ({ how, as }: Call) =>
  as === 'write' || how === 'allowed' ? 'allowed' : how === 'failed' && as !== 'counted' ? 'failed' : 'denied';

function eventsOf(made: Call): RecordedEvent[] {
  const { of, how, face, operation, address, as, times } = made;
  const time = iso(timeOf(made));
  if (as === 'counted' && how !== 'allowed') {
    const who = { token: of.id, workspace: of.workspace, face, operation, reason: how, address: '192.0.2.0/24' };
    return [event('denials-x', 'TokenUsesDenied', { ...who, count: times, from: time, to: time })];
  }
  const allowed = as === 'write' || how === 'allowed';
  const use = useData(of.id, timeOf(made), {
    workspace: of.workspace,
    face,
    operation,
    decision: allowed ? 'allowed' : 'refused',
    reason: allowed ? null : how,
    client_address: `192.0.2.${address}`,
    client_name: face === 'routine' ? 'routine R1' : 'curl',
  });
  if (as !== 'write') return [event('usage-1', 'TokenUsed', use)];
  return Array.from({ length: times }, () => event('report-1', 'ReportEdited', {}, { use }));
}

const lives = (): RecordedEvent[] =>
  TOKENS.map(({ id, workspace }) => created(id, DAY.fromMs - 45 * DAY_MS, { workspace }));

describe('any history', () => {
  const calls = fc.array(call, { maxLength: 60 });

  it('is counted as a naive count does it', () => {
    fc.assert(
      fc.property(calls, (made) => {
        const digest = digestOf([...lives(), ...made.flatMap(eventsOf)]);
        const own = made.filter(
          (each) => each.of.workspace === 'w1' && timeOf(each) >= DAY.fromMs && timeOf(each) < DAY.toMs,
        );
        const count = (some: readonly Call[], outcome: string): number =>
          some
            .filter((each) => outcomeOf(each) === outcome)
            .reduce((sum, each) => sum + (each.as === 'counted' && each.how !== 'allowed' ? each.times : 1), 0);
        const counts = (some: readonly Call[]) => ({
          allowed: count(some, 'allowed'),
          failed: count(some, 'failed'),
          denied: count(some, 'denied'),
        });
        expect(digest.totals).toMatchObject(counts(own));
        for (const { face, ...rest } of digest.faces) {
          expect(rest).toEqual(counts(own.filter((each) => each.face === face)));
        }
        for (const { id } of TOKENS.slice(0, 2)) {
          const of = own.filter((each) => each.of.id === id);
          const row = digest.tokens.items.find(({ token }) => token.id === id);
          expect(row === undefined).toBe(of.length === 0);
          if (row !== undefined) expect(row).toMatchObject(counts(of));
        }
        for (const [hour, { from, ...rest }] of digest.timeline.entries()) {
          const within = own.filter((each) => Math.floor((timeOf(each) - DAY.fromMs) / HOUR_MS) === hour);
          expect([from, rest]).toEqual([iso(DAY.fromMs + hour * HOUR_MS), counts(within)]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same bytes again, whatever else lies outside of the period, and wherever reading its uses began', () => {
    fc.assert(
      fc.property(calls, calls, fc.integer({ min: 0, max: 20 }), (made, noise, ago) => {
        const history = made.flatMap(eventsOf);
        const expected = JSON.stringify(digestOf([...lives(), ...history]));
        const stored = JSON.parse(JSON.stringify([...lives(), ...history])) as RecordedEvent[];
        expect(JSON.stringify(digestOf(stored))).toBe(expected);

        // Too long ago, or not yet: among all the rest.
        const outside = noise.flatMap((each) => {
          const timeMs =
            ago % 2 === 0 ? DAY.fromMs - 31 * DAY_MS - (each.timeMs % DAY_MS) : DAY.toMs + (each.timeMs % DAY_MS);
          return eventsOf({ ...each, timeMs, inside: false });
        });
        const later = event(`token-${one}`, 'TokenRenamed', { name: 'later', at: iso(DAY.toMs) });
        const strange = event('comment-1', 'Strange', { at: 'never' });
        const mixed = history.flatMap((each, index) => [
          ...(outside[index] === undefined ? [] : [outside[index]]),
          each,
        ]);
        const full = [...lives(), ...mixed, later, strange, ...outside.slice(history.length)];
        expect(JSON.stringify(digestOf(full))).toBe(expected);

        const beyond = created(newTokenId(DAY.fromMs), noon);
        const afterClosing = { ...beyond, position: CLOSED_AT };
        expect(JSON.stringify(digestOf([...full, afterClosing]))).toBe(expected);
      }),
      { numRuns: 200 },
    );
  });
});
