import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Admission,
  type HotView,
  type Verdict,
  type ViewToken,
  ViewUnavailable,
} from '../../libs/hot-view/hot-view.ts';
import type { HotViewInspection } from '../../libs/hot-view/inspection.ts';
import type { HotViewMaintenance } from '../../libs/hot-view/maintenance.ts';
import { newTokenId, successorId } from '../../libs/tokens/token-id.ts';

export interface OpenedView {
  readonly view: HotView & HotViewMaintenance & { readonly inspection: HotViewInspection };
  /** Moves the view's clock. */
  advance(ms: number): void | Promise<void>;
  nowMs(): number;
}

const DIGEST = 'a'.repeat(64);
const READ = { reads: 1, writes: 0, handshakes: 0 };
const WRITE = { reads: 0, writes: 1, handshakes: 0 };

export function viewToken(change: Partial<ViewToken> = {}): ViewToken {
  const id = change.id ?? newTokenId(Date.now());
  return {
    id,
    lineage: id,
    catalogue: 'comma',
    kind: 'agent',
    name: 'agent',
    owner: { id: 'jason', name: 'Jason' },
    workspace: 'w1',
    scopes: ['reports:read'],
    grants: ['comma/reports:read'],
    restrict: { companies: [], projects: [] },
    limits: { reads: 5, writes: 2 },
    ownLimits: { reads: null, writes: null },
    digest: DIGEST,
    predecessor: null,
    successor: null,
    status: 'active',
    createdAtMs: 0,
    expiresAtMs: null,
    retiresAtMs: null,
    version: 1,
    catalogues: 'c1',
    ...change,
  };
}

/** What every store of the hot view must do (DESIGN §8). */
export function hotViewContract(name: string, open: () => Promise<OpenedView>): void {
  describe(`hot view: ${name}`, () => {
    let opened: OpenedView;
    let view: OpenedView['view'];
    const admit = async (id: string, change: Partial<Admission> = {}): Promise<Verdict> =>
      view.admit({ id, digest: DIGEST, scope: 'comma/reports:read', cost: READ, ...change });
    const kinds = async (id: string, times: number, change: Partial<Admission> = {}): Promise<string[]> => {
      const seen: string[] = [];
      for (let call = 0; call < times; call++) {
        const verdict = await admit(id, change);
        seen.push(verdict.kind === 'refused' ? verdict.reason : verdict.kind);
      }
      return seen;
    };

    beforeEach(async () => {
      opened = await open();
      view = opened.view;
    });
    afterEach(() => view.close());

    describe('before it is certified', () => {
      it('P4 lets nobody in', async () => {
        const token = viewToken();
        await view.put([token]);
        expect((await admit(token.id)).kind).toBe('not-ready');
        expect(view.health().ready).toBe(false);
        await view.certify(null);
        expect((await admit(token.id)).kind).toBe('admitted');
      });

      it('P6 does not say what it counts, for that may be too little', async () => {
        await expect((async () => view.inspection.counted([viewToken().id]))()).rejects.toThrow(ViewUnavailable);
      });
    });

    describe('looked into while it serves', () => {
      const unlike = (token: ViewToken) => view.inspection.unlike([token]);
      const heldIds = async (): Promise<string[]> => (await Array.fromAsync(view.inspection.ids())).flat();
      beforeEach(() => view.certify(null));

      it('P6 says what it does not hold as it would be written', async () => {
        const token = viewToken();
        expect(await unlike(token)).toEqual([{ id: token.id, what: 'missing', columns: [], seen: null }]);
        await view.put([token]);
        expect(await unlike(token)).toEqual([]);
        const [found] = await unlike({ ...token, status: 'revoked' });
        expect(found).toMatchObject({ id: token.id, what: 'different' });
        expect(found?.columns).toContain('status');
      });

      it('P6 a mending writes over an equal version, and a later one; the windows stay (P3)', async () => {
        const damaged = viewToken({
          version: 9,
          limits: { reads: 100, writes: 100 },
          restrict: { companies: ['x'], projects: [] },
        });
        await view.put([damaged]);
        const before = await admit(damaged.id);
        expect(before).toMatchObject({ kind: 'admitted', token: { restrict: { companies: ['x'] } } });
        const token = {
          ...damaged,
          version: 3,
          limits: { reads: 2, writes: 2 },
          restrict: { companies: [], projects: [] },
        };
        const [found] = await unlike(token);
        await view.inspection.mend([{ token, seen: found?.seen ?? null }]);
        expect(await unlike(token)).toEqual([]);
        expect(await admit(token.id)).toMatchObject({ kind: 'admitted', token: { restrict: { companies: [] } } });
        expect(await kinds(token.id, 1)).toEqual(['throttled']);
        // Equal version: whoever has parsed the record before hears of the new one.
        const again = { ...token, name: 'mended' };
        const [second] = await unlike(again);
        await view.inspection.mend([{ token: again, seen: second?.seen ?? null }]);
        expect(await admit(token.id)).toMatchObject({ token: { name: 'mended' } });
      });

      it('P2 a mending that looked before a revocation does not undo it', async () => {
        const token = viewToken({ version: 3 });
        await view.put([{ ...token, name: 'damaged' }]);
        const [found] = await unlike(token);
        await view.put([{ ...token, version: 5, status: 'revoked' }]);
        await view.inspection.mend([{ token, seen: found?.seen ?? null }]);
        expect(await kinds(token.id, 1)).toEqual(['revoked']);
        const missing = viewToken();
        await view.put([{ ...missing, version: 5, status: 'revoked' }]);
        await view.inspection.mend([{ token: missing, seen: null }]);
        expect(await kinds(missing.id, 1)).toEqual(['revoked']);
      });

      it('lists what it holds, and forgets what no log knows', async () => {
        const tokens = Array.from({ length: 300 }, () => viewToken());
        for (let from = 0; from < tokens.length; from += 50) await view.put(tokens.slice(from, from + 50));
        expect(new Set(await heldIds())).toEqual(new Set(tokens.map(({ id }) => id)));
        await view.inspection.forget(tokens[7]!.id);
        expect(await heldIds()).not.toContain(tokens[7]!.id);
        expect(await admit(tokens[7]!.id)).toEqual({ kind: 'unknown' });
      });

      it('P3 P6 tells what it counts of a lineage, second by second, and takes nothing', async () => {
        const old = viewToken({ limits: { reads: 50, writes: 50 } });
        const heir = viewToken({ ...old, id: successorId(old.id, Date.now()), lineage: old.id, predecessor: old.id });
        const idle = viewToken();
        await view.put([old, heir, idle]);
        const seconds: number[] = [];
        for (const id of [old.id, heir.id]) {
          const pass = await admit(id, { cost: { reads: 2, writes: 1, handshakes: 0 } });
          if (pass.kind !== 'admitted') throw new Error(pass.kind);
          seconds.push(pass.windowSecond);
          await opened.advance(5_000);
        }
        await admit(old.id, { scope: 'comma/routines:write' });
        for (let look = 0; look < 2; look++) {
          const [ofHeir, ofIdle] = await view.inspection.counted([heir.id, idle.id]);
          const second = ofHeir!.second;
          expect(second).toBeGreaterThanOrEqual(seconds[1]! + 5);
          expect(ofIdle).toMatchObject({ taken: [] });
          const inOrder = ofHeir!.taken.toSorted((a, b) => a.second - b.second || (a.budget < b.budget ? -1 : 1));
          expect(inOrder).toEqual([
            ...seconds.flatMap((at) => [
              { budget: 'reads', second: at, cost: 2 },
              { budget: 'writes', second: at, cost: 1 },
            ]),
            { budget: 'refusals', second: expect.any(Number), cost: 1 },
          ]);
        }
        await opened.advance(61_000);
        expect((await view.inspection.counted([heir.id]))[0]?.taken).toEqual([]);
      });

      it('a parking is seen, and a mending ends it', async () => {
        const token = viewToken({ version: 3 });
        await view.put([token]);
        await view.park(token.id, 5);
        const [found] = await unlike(token);
        expect(found?.columns).toEqual(['parked']);
        await view.inspection.mend([{ token, seen: found?.seen ?? null }]);
        expect(await kinds(token.id, 1)).toEqual(['admitted']);
      });

      it('P3 companies are held against what is known, and mended', async () => {
        const company = { id: 'c1', workspace: 'w1', limits: { reads: 1, writes: null }, version: 3 };
        const other = { ...company, id: 'c2' };
        await view.putCompanies([{ ...company, limits: { reads: 999, writes: 999 } }, other]);
        const pinned = viewToken({ restrict: { companies: ['c1'], projects: [] }, limits: { reads: 50, writes: 50 } });
        await view.put([pinned]);
        const found = await view.inspection.unlikeCompanies([company, { ...company, id: 'c3' }]);
        expect(found.toSorted((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
          { key: 'w1/c1', what: 'different' },
          { key: 'w1/c2', what: 'unexpected' },
          { key: 'w1/c3', what: 'missing' },
        ]);
        await view.inspection.mendCompany('w1/c1', company);
        await view.inspection.mendCompany('w1/c2', null);
        expect(await view.inspection.unlikeCompanies([company])).toEqual([]);
        expect(await kinds(pinned.id, 2)).toEqual(['admitted', 'throttled']);
      });
    });

    describe('certified', () => {
      beforeEach(() => view.certify(null));

      it('P11 knows a token by its digest only: a wrong secret is as unknown as a wrong id', async () => {
        const token = viewToken();
        await view.put([token]);
        expect(await admit(token.id, { digest: 'b'.repeat(64) })).toEqual({ kind: 'unknown' });
        expect(await admit(newTokenId(0))).toEqual({ kind: 'unknown' });
      });

      it('P3 grants the limit and not one more, and gives it back after a minute', async () => {
        const token = viewToken();
        await view.put([token]);
        expect(await kinds(token.id, 6)).toEqual([...Array(5).fill('admitted'), 'throttled']);
        await opened.advance(61_000);
        expect(await kinds(token.id, 1)).toEqual(['admitted']);
      });

      it('P3 says how long to wait, and the wait suffices', async () => {
        const token = viewToken({ limits: { reads: 1, writes: 1 } });
        await view.put([token]);
        await admit(token.id);
        const verdict = await admit(token.id);
        if (verdict.kind !== 'refused') throw new Error('not refused');
        expect(verdict.short).toEqual(['reads']);
        await opened.advance(verdict.retryAfterSeconds * 1000);
        expect((await admit(token.id)).kind).toBe('admitted');
      });

      it('P3 a refusal takes nothing of reads and writes, which are decided together', async () => {
        const token = viewToken({ grants: ['comma/reports:read'], limits: { reads: 2, writes: 1 } });
        await view.put([token]);
        const both = { reads: 1, writes: 1, handshakes: 0 };
        expect(await kinds(token.id, 3, { scope: 'comma/routines:write' })).toEqual(Array(3).fill('missing_scope'));
        expect(await kinds(token.id, 2, { cost: both })).toEqual(['admitted', 'throttled']);
        const [usage] = await view.usage([token.id]);
        expect([usage!.reads.used, usage!.writes.used]).toEqual([1, 1]);
        expect(await kinds(token.id, 2)).toEqual(['admitted', 'throttled']);
      });

      it('P3 rotating gives no fresh budget: windows are the lineage’s', async () => {
        const old = viewToken();
        const heir = viewToken({ id: successorId(old.id, Date.now()), lineage: old.id, predecessor: old.id });
        await view.put([old, heir]);
        await kinds(old.id, 3);
        expect(await kinds(heir.id, 3)).toEqual(['admitted', 'admitted', 'throttled']);
      });

      it('P3 a refill from the record hands nobody a fresh budget', async () => {
        const token = viewToken();
        await view.put([token]);
        const second = Math.floor(opened.nowMs() / 1000);
        await view.refill([
          { token: token.id, budget: 'reads', cost: 3, windowSecond: second - 20 },
          { token: token.id, budget: 'reads', cost: 2, windowSecond: second - 70 },
          { token: token.id, budget: 'writes', cost: 2, windowSecond: second },
        ]);
        expect(await kinds(token.id, 3)).toEqual(['admitted', 'admitted', 'throttled']);
        expect(await kinds(token.id, 1, { cost: WRITE })).toEqual(['throttled']);
      });

      it('P11 refusals have a window of their own, 60 a minute', async () => {
        const token = viewToken();
        await view.put([token]);
        const within: boolean[] = [];
        for (let call = 0; call < 61; call++) {
          const verdict = await admit(token.id, { scope: 'comma/routines:write' });
          if (verdict.kind === 'refused') within.push(verdict.withinRefusals);
        }
        expect(within).toEqual([...Array(60).fill(true), false]);
        // Being refused too often does not stop what is allowed.
        expect((await admit(token.id)).kind).toBe('admitted');
      });

      it('P2 a revoked token is dead, its tombstone outlives any late event', async () => {
        const token = viewToken({ version: 2 });
        await view.put([token]);
        await view.put([{ ...token, status: 'revoked', version: 6 }]);
        expect(await kinds(token.id, 1)).toEqual(['revoked']);
        await view.put([{ ...token, version: 4 }]);
        await view.put([{ ...token, version: 6 }]);
        expect(await kinds(token.id, 1)).toEqual(['revoked']);
      });

      it.each([
        ['suspended', { status: 'suspended' as const }, 'suspended'],
        ['inert', { status: 'inert' as const }, 'inert'],
        ['expired', { expiresAtMs: 1 }, 'expired'],
        ['rotated', { retiresAtMs: 1 }, 'rotated'],
      ])('refuses what is %s', async (_, change, reason) => {
        const token = viewToken(change);
        await view.put([token]);
        expect(await kinds(token.id, 1)).toEqual([reason]);
      });

      it('P10 expiry needs no event, only time', async () => {
        const token = viewToken({ expiresAtMs: opened.nowMs() + 1_000 });
        await view.put([token]);
        expect(await kinds(token.id, 1)).toEqual(['admitted']);
        await opened.advance(1_000);
        expect(await kinds(token.id, 1)).toEqual(['expired']);
      });

      it('P4 a parked token is 503 for itself alone', async () => {
        const [parked, other] = [viewToken(), viewToken()];
        await view.put([parked, other]);
        await view.park(parked.id, 4);
        expect(await kinds(parked.id, 1)).toEqual(['not-ready']);
        expect(await kinds(other.id, 1)).toEqual(['admitted']);
        await view.put([{ ...parked, version: 3 }]);
        expect(await kinds(parked.id, 1)).toEqual(['not-ready']);
        await view.put([{ ...parked, version: 4 }]);
        expect(await kinds(parked.id, 1)).toEqual(['admitted']);
      });

      it('P4 nobody parks what another has understood, whichever comes first', async () => {
        const token = viewToken({ version: 4 });
        await view.put([token]);
        await view.park(token.id, 4);
        expect(await kinds(token.id, 1)).toEqual(['admitted']);
        await view.park(token.id, 6);
        await view.park(token.id, 5);
        await view.put([{ ...token, version: 5 }]);
        expect(await kinds(token.id, 1)).toEqual(['not-ready']);
      });

      it('P13 a catalogue changed at an unchanged version is in force, and not undone', async () => {
        const token = viewToken();
        await view.put([token]);
        expect(await kinds(token.id, 1, { scope: 'comma/comments:read' })).toEqual(['missing_scope']);
        const changed = { grants: ['comma/comments:read'], limits: { reads: 2, writes: 1 }, catalogues: 'c2' };
        await view.put([{ ...token, ...changed }]);
        expect(await kinds(token.id, 1, { scope: 'comma/comments:read' })).toEqual(['missing_scope']);
        await view.useCatalogues('c2');
        await view.put([{ ...token, ...changed }]);
        // By a process that was started before the change.
        await view.put([token]);
        expect(await kinds(token.id, 1)).toEqual(['missing_scope']);
        expect(await kinds(token.id, 3, { scope: 'comma/comments:read' })).toEqual([
          'admitted',
          'admitted',
          'throttled',
        ]);
        const verdict = await admit(token.id, { scope: 'comma/comments:read' });
        if (verdict.kind !== 'refused') throw new Error(verdict.kind);
        expect([verdict.token.catalogues, verdict.usage.reads.limit]).toEqual(['c2', 2]);
      });

      describe('a company’s limits', () => {
        const pinned = (change: Partial<ViewToken> = {}): ViewToken =>
          viewToken({ restrict: { companies: ['acme'], projects: [] }, ...change });
        const acme = (reads: number | null, version: number, workspace = 'w1') => ({
          id: 'acme',
          workspace,
          limits: { reads, writes: null },
          version,
        });
        const limitOf = async (id: string): Promise<number[]> => {
          const verdict = await admit(id);
          if (verdict.kind !== 'admitted' && verdict.kind !== 'refused') throw new Error(verdict.kind);
          const [usage] = await view.usage([id]);
          const held = await view.get(id);
          expect(held?.limits).toEqual(verdict.token.limits);
          return [verdict.token.limits.reads, verdict.usage.reads.limit, usage!.reads.limit];
        };

        it('P3 P13 are in force at once for its tokens that have none of their own, and given back', async () => {
          const [token, other] = [pinned(), viewToken()];
          await view.put([token, other]);
          await view.putCompanies([acme(2, 1)]);
          expect(await kinds(token.id, 3)).toEqual(['admitted', 'admitted', 'throttled']);
          await view.putCompanies([acme(9, 2)]);
          expect(await limitOf(token.id)).toEqual([9, 9, 9]);
          await view.putCompanies([acme(null, 3)]);
          expect(await limitOf(token.id)).toEqual([5, 5, 5]);
          expect(await limitOf(other.id)).toEqual([5, 5, 5]);
        });

        it('P3 an older word of it is ignored', async () => {
          const token = pinned();
          await view.put([token]);
          await view.putCompanies([acme(2, 7)]);
          await view.putCompanies([acme(4, 6)]);
          await view.putCompanies([acme(4, 7)]);
          expect(await limitOf(token.id)).toEqual([2, 2, 2]);
        });

        it('P3 count for tokens written later, and no more once a token is pinned elsewhere', async () => {
          await view.putCompanies([acme(2, 1), { ...acme(3, 0), id: 'other' }]);
          const token = pinned();
          await view.put([token]);
          expect(await limitOf(token.id)).toEqual([2, 2, 2]);
          await view.put([{ ...token, restrict: { companies: ['other'], projects: [] }, version: 2 }]);
          await view.putCompanies([acme(9, 2)]);
          expect(await limitOf(token.id)).toEqual([3, 3, 3]);
        });

        it('P3 a token’s own limit comes first, budget by budget', async () => {
          const token = pinned({ ownLimits: { reads: 5, writes: null } });
          const both = pinned({ ownLimits: { reads: 5, writes: 2 } });
          await view.put([token, both]);
          await view.putCompanies([{ ...acme(9, 1), limits: { reads: 9, writes: 1 } }]);
          expect(await limitOf(token.id)).toEqual([5, 5, 5]);
          expect(await kinds(token.id, 2, { cost: WRITE })).toEqual(['admitted', 'throttled']);
          expect(await kinds(both.id, 2, { cost: WRITE })).toEqual(['admitted', 'admitted']);
        });

        it('P13 another workspace’s say nothing', async () => {
          const token = pinned();
          await view.put([token]);
          await view.putCompanies([acme(9, 1, 'w2')]);
          expect(await limitOf(token.id)).toEqual([5, 5, 5]);
        });
      });

      it('P2 confirms a pass as long as its token lives', async () => {
        const token = viewToken();
        await view.put([token]);
        const pass = await admit(token.id);
        if (pass.kind !== 'admitted') throw new Error('not admitted');
        expect(await view.confirm(pass)).toBe('stands');
        await view.put([{ ...token, status: 'revoked', version: 9 }]);
        expect(await view.confirm(pass)).toBe('dead');
        expect(await view.confirm({ ...pass, epoch: 'another' })).toBe('lapsed');
      });
    });
  });
}
