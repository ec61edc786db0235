import { describe, expect, it } from '@jest/globals';
import { created, DAY, digestOf, event, iso, used } from '../../test/support/digest-of.ts';
import { jason, mia, useOfToken } from '../../test/support/history.ts';
import { newTokenId } from '../tokens/token-id.ts';
import { DAY_MS } from './period.ts';

const HOUR_MS = 3_600_000;

const [one, two] = [newTokenId(DAY.fromMs - DAY_MS), newTokenId(DAY.fromMs - DAY_MS + 1)] as const;
const noon = DAY.fromMs + 12 * HOUR_MS;

describe('a digest', () => {
  it('tells what was done to tokens, by whom and why', () => {
    const id = newTokenId(noon);
    const life = (type: string, data: object) =>
      event(`token-${id}`, type, { ...data, at: iso(noon + HOUR_MS) }, { actor: mia });
    const digest = digestOf([
      created(id, noon, { scopes: ['reports:read', 'reports:write'], expires_at: iso(noon + 2 * HOUR_MS) }),
      life('TokenScoped', { scopes: ['comments:read', 'reports:read'], restrict: { companies: [], projects: [] } }),
      life('TokenRotated', { successor: two, overlap_ends_at: null }),
      life('TokenRevoked', { reason: 'leak', note: 'pasted into a chat' }),
    ]);
    expect(digest.changes).toMatchObject({
      items: [
        { change: 'created', token: { id, owner: jason }, by: mia, at: iso(noon) },
        { change: 'scoped', added: ['comments:read'], removed: ['reports:write'] },
        { change: 'rotated', successor: two },
        { change: 'revoked', reason: 'leak', note: 'pasted into a chat', by: mia },
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
    const use = useOfToken(one, noon, { operation: 'create_report', resource: 'report/1' });
    const denied = { token: one, face: 'mcp', operation: 'get_report', reason: 'throttled', address: '192.0.2.0/24' };
    const digest = digestOf([
      created(one, DAY.fromMs - DAY_MS),
      event('report-1', 'ReportCreated', {}, { actor: mia, use }),
      event('report-1', 'ReportPublished', {}, { actor: mia, use }),
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
    expect(digestOf(both, 'w2').totals).toMatchObject({ allowed: 1, tokens_created: 1 });
  });
});
