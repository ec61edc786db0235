import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Admission, Cost, Verdict, ViewToken, ViewWorkspace } from '../../libs/hot-view/hot-view.ts';
import { newTokenId, successorId } from '../../libs/tokens/token-id.ts';
import { type OpenedView, viewToken } from './hot-view.contract.ts';

const READ: Cost = { reads: 1, writes: 0, handshakes: 0 };
const WRITE: Cost = { reads: 0, writes: 1, handshakes: 0 };
const HANDSHAKE: Cost = { reads: 0, writes: 0, handshakes: 1 };
const FREE: Cost = { reads: 0, writes: 0, handshakes: 0 };
const PLENTY = { reads: 100, writes: 100 };

/** What every store of the hot view must do about the ceiling of a workspace (DESIGN §4, §8). */
export function ceilingContract(name: string, open: () => Promise<OpenedView>): void {
  describe(`hot view: ${name}: a workspace’s ceiling`, () => {
    let opened: OpenedView;
    let view: OpenedView['view'];

    beforeEach(async () => {
      opened = await open();
      view = opened.view;
      await view.certify(null);
    });
    afterEach(() => view.close());

    const admit = async ({ id, digest }: ViewToken, cost = READ, change: Partial<Admission> = {}): Promise<Verdict> =>
      view.admit({ id, digest, scope: 'comma/reports:read', cost, ...change });
    const said = (verdict: Verdict): string => (verdict.kind === 'refused' ? verdict.reason : verdict.kind);
    const kind = async (token: ViewToken, cost = READ): Promise<string> => said(await admit(token, cost));
    const kinds = async (tokens: readonly ViewToken[], cost = READ): Promise<string[]> => {
      const seen: string[] = [];
      for (const token of tokens) seen.push(await kind(token, cost));
      return seen;
    };
    /** Tokens of different lineages, and so of different partitions. */
    const tokens = async (count: number, change: Partial<ViewToken> = {}): Promise<ViewToken[]> => {
      const made = Array.from({ length: count }, () => viewToken({ limits: PLENTY, ...change }));
      for (const token of made) await view.put([token]);
      return made;
    };
    const ceiling = (
      reads: number | null,
      writes: number | null = null,
      version = 0,
      id = 'w1',
    ): readonly ViewWorkspace[] => [{ id, ceiling: { reads, writes }, version }];
    const usedOf = async (token: ViewToken): Promise<number[]> => {
      const [usage] = await view.usage([token.id]);
      return [usage!.reads.used, usage!.writes.used];
    };

    it('P3 is shared by all its tokens, and given back after a minute', async () => {
      const [a, b, c] = (await tokens(3)) as [ViewToken, ViewToken, ViewToken];
      await view.putWorkspaces(ceiling(3));
      expect(await kinds([a, b, c, a, b])).toEqual(['admitted', 'admitted', 'admitted', 'ceiling', 'ceiling']);
      await opened.advance(61_000);
      expect(await kinds([c, c, c, c])).toEqual(['admitted', 'admitted', 'admitted', 'ceiling']);
    });

    it('P3 says that it is the ceiling that is short, of what, and for how long', async () => {
      const [a, b] = (await tokens(2)) as [ViewToken, ViewToken];
      await view.putWorkspaces(ceiling(2, 1));
      const first = await admit(a);
      if (first.kind !== 'admitted') throw new Error(first.kind);
      expect(first.usage.ceiling).toEqual({
        reads: { limit: 2, used: 1, resetSeconds: 61 },
        writes: { limit: 1, used: 0, resetSeconds: 0 },
      });
      expect(first.ceiling).toEqual({ windowSecond: expect.any(Number), epoch: expect.any(String) });
      expect(await view.confirm(first)).toBe('stands');
      await opened.advance(20_000);
      expect(await kinds([b], WRITE)).toEqual(['admitted']);
      await admit(b);
      const refused = await admit(b);
      if (refused.kind !== 'refused') throw new Error(refused.kind);
      expect(refused).toMatchObject({ reason: 'ceiling', short: ['reads'], withinRefusals: true });
      expect(refused.usage.ceiling?.reads).toMatchObject({ limit: 2, used: 2 });
      expect(refused.usage.reads).toMatchObject({ limit: 100, used: 1 });
      expect(refused.retryAfterSeconds).toBeGreaterThan(35);
      expect(refused.retryAfterSeconds).toBeLessThanOrEqual(41);
      expect(await view.ceilingUsage('w1')).toMatchObject({ reads: { used: 2 }, writes: { used: 1 } });
      await opened.advance((refused.retryAfterSeconds + 1) * 1000);
      expect(await kind(b)).toBe('admitted');
    });

    it('P3 a call refused by either takes nothing of the other', async () => {
      const [narrow, wide] = [viewToken({ limits: { reads: 1, writes: 1 } }), viewToken({ limits: PLENTY })];
      await view.put([narrow]);
      await view.put([wide]);
      await view.putWorkspaces(ceiling(3, 0));
      expect(await kinds([narrow, narrow, narrow])).toEqual(['admitted', 'throttled', 'throttled']);
      expect(said(await admit(narrow, READ, { scope: 'comma/routines:write' }))).toBe('missing_scope');
      expect((await view.ceilingUsage('w1'))?.reads?.used).toBe(1);
      expect(await kinds([wide, wide, wide, wide])).toEqual(['admitted', 'admitted', 'ceiling', 'ceiling']);
      expect(await kinds([wide, wide], WRITE)).toEqual(['ceiling', 'ceiling']);
      expect(await usedOf(wide)).toEqual([2, 0]);
      const both = { reads: 1, writes: 1, handshakes: 0 };
      await opened.advance(61_000);
      expect(await kinds([wide], both)).toEqual(['ceiling']);
      expect([await usedOf(wide), (await view.ceilingUsage('w1'))?.reads?.used]).toEqual([[0, 0], 0]);
    });

    it('P3 handshakes, what costs nothing, and refusals do not count', async () => {
      const [a] = (await tokens(1)) as [ViewToken];
      await view.putWorkspaces(ceiling(1, 1));
      expect(await kinds([a, a, a], HANDSHAKE)).toEqual(['admitted', 'admitted', 'admitted']);
      expect(await kinds([a, a, a], FREE)).toEqual(['admitted', 'admitted', 'admitted']);
      expect(await kinds([a, a, a])).toEqual(['admitted', 'ceiling', 'ceiling']);
      expect(await kinds([a], HANDSHAKE)).toEqual(['admitted']);
      expect(await kinds([a], FREE)).toEqual(['admitted']);
    });

    it('P11 what it refuses counts among the token’s refusals', async () => {
      const [a, b] = (await tokens(2)) as [ViewToken, ViewToken];
      await view.putWorkspaces(ceiling(1));
      await admit(a);
      const within: boolean[] = [];
      for (let call = 0; call < 61; call++) {
        const verdict = await admit(a);
        if (verdict.kind === 'refused') within.push(verdict.withinRefusals);
      }
      expect(within).toEqual([...Array(60).fill(true), false]);
      expect(await admit(b)).toMatchObject({ reason: 'ceiling', withinRefusals: true });
    });

    it('P3 rotating gives no fresh part of it', async () => {
      const [old] = (await tokens(1)) as [ViewToken];
      const heir = viewToken({ id: successorId(old.id, Date.now()), lineage: old.id, predecessor: old.id });
      await view.put([old, heir]);
      await view.putWorkspaces(ceiling(2));
      expect(await kinds([old, heir, heir, old])).toEqual(['admitted', 'admitted', 'ceiling', 'ceiling']);
    });

    it('P13 is of one workspace', async () => {
      const [ours] = (await tokens(1)) as [ViewToken];
      const [theirs] = (await tokens(1, { workspace: 'w2' })) as [ViewToken];
      await view.putWorkspaces([...ceiling(1), ...ceiling(2, null, 0, 'w2')]);
      expect(await kinds([ours, ours, theirs, theirs, theirs])).toEqual([
        'admitted',
        'ceiling',
        'admitted',
        'admitted',
        'ceiling',
      ]);
      expect([(await view.ceilingUsage('w2'))?.reads?.limit, await view.ceilingUsage('w3')]).toEqual([2, null]);
    });

    it('P3 counts from when it is set, is changed at once, lifted at once, and set again counts on', async () => {
      const [a, b] = (await tokens(2)) as [ViewToken, ViewToken];
      expect(await kinds([a, b, a])).toEqual(['admitted', 'admitted', 'admitted']);
      expect(await admit(a)).not.toHaveProperty('ceiling');
      await view.putWorkspaces(ceiling(2));
      expect(await kinds([a, b, a])).toEqual(['admitted', 'admitted', 'ceiling']);
      await view.putWorkspaces(ceiling(3, null, 1));
      expect(await kinds([a, b])).toEqual(['admitted', 'ceiling']);
      await view.putWorkspaces(ceiling(null, null, 2));
      expect(await kinds([a, b, a])).toEqual(['admitted', 'admitted', 'admitted']);
      expect(await view.ceilingUsage('w1')).toBeNull();
      await view.putWorkspaces(ceiling(3, null, 3));
      expect(await kinds([a])).toEqual(['ceiling']);
      // An older word of it is ignored.
      await view.putWorkspaces(ceiling(null, null, 2));
      await view.putWorkspaces(ceiling(9, null, 3));
      expect(await kinds([a])).toEqual(['ceiling']);
    });

    it('P3 is in force over tokens written later, and those a caller knows already', async () => {
      const [a] = (await tokens(1)) as [ViewToken];
      await admit(a);
      await view.putWorkspaces(ceiling(1));
      const late = viewToken({ limits: PLENTY });
      await view.put([late]);
      expect(await kinds([late, a, late])).toEqual(['admitted', 'ceiling', 'ceiling']);
    });

    it('P3 a refill from the record hands nobody a fresh budget', async () => {
      const [a] = (await tokens(1)) as [ViewToken];
      await view.putWorkspaces(ceiling(5, 2));
      const second = Math.floor(opened.nowMs() / 1000);
      await view.refillCeilings([
        { workspace: 'w1', budget: 'reads', cost: 3, windowSecond: second - 20 },
        { workspace: 'w1', budget: 'reads', cost: 2, windowSecond: second - 70 },
        { workspace: 'w1', budget: 'writes', cost: 2, windowSecond: second },
        { workspace: 'w2', budget: 'reads', cost: 9, windowSecond: second },
      ]);
      expect(await kinds([a, a, a])).toEqual(['admitted', 'admitted', 'ceiling']);
      expect(await kind(a, WRITE)).toBe('ceiling');
    });

    it('P6 is held against what is known, and mended', async () => {
      const [a] = (await tokens(1)) as [ViewToken];
      await view.putWorkspaces([...ceiling(999, 999, 3), ...ceiling(1, 1, 3, 'w2')]);
      const known = ceiling(1, null, 3);
      const found = await view.inspection.unlikeWorkspaces([...known, ...ceiling(1, null, 0, 'w3')]);
      expect(found.toSorted((one, other) => (one.key < other.key ? -1 : 1))).toEqual([
        { key: 'w1', what: 'different' },
        { key: 'w2', what: 'unexpected' },
        { key: 'w3', what: 'missing' },
      ]);
      await view.inspection.mendWorkspace('w1', known[0]!);
      await view.inspection.mendWorkspace('w2', null);
      expect(await view.inspection.unlikeWorkspaces(known)).toEqual([]);
      expect(await view.inspection.unlikeCompanies([])).toEqual([]);
      expect(await kinds([a, a])).toEqual(['admitted', 'ceiling']);
    });

    it('P11 one token beyond its own limit takes no room from the others, however it hammers', async () => {
      const [wide] = (await tokens(1)) as [ViewToken];
      const [greedy] = (await tokens(1, { limits: { reads: 1, writes: 1 } })) as [ViewToken];
      await view.putWorkspaces(ceiling(12));
      await admit(greedy);
      const calls = Array.from({ length: 200 }, (_, call) => admit(call % 20 === 0 ? wide : greedy));
      const ofWide = (await Promise.all(calls)).filter((_, call) => call % 20 === 0);
      expect(ofWide.map(said)).toEqual(Array(10).fill('admitted'));
      expect((await view.ceilingUsage('w1'))?.reads?.used).toBe(11);
    });

    it('P3 P6 tells what was taken from it, second by second, and takes nothing', async () => {
      const [a, b] = (await tokens(2)) as [ViewToken, ViewToken];
      await view.putWorkspaces(ceiling(9, 9));
      const seconds: number[] = [];
      for (const token of [a, b]) {
        const pass = await admit(token, { reads: 2, writes: 1, handshakes: 0 });
        if (pass.kind !== 'admitted') throw new Error(pass.kind);
        seconds.push(pass.ceiling!.windowSecond);
        await opened.advance(5_000);
      }
      for (let look = 0; look < 2; look++) {
        const [ours, theirs] = await view.inspection.countedCeilings(['w1', 'w2']);
        expect(theirs?.taken).toEqual([]);
        expect(ours?.second).toBeGreaterThanOrEqual(seconds[1]! + 5);
        const inOrder = ours!.taken.toSorted((x, y) => x.second - y.second || (x.budget < y.budget ? -1 : 1));
        expect(inOrder).toEqual(
          seconds.flatMap((second) => [
            { budget: 'reads', second, cost: 2 },
            { budget: 'writes', second, cost: 1 },
          ]),
        );
      }
    });

    it('P3 never more than N in any 60 seconds, over whichever tokens, and no more than each one’s own', async () => {
      const call = fc.record({
        gapMs: fc.oneof(
          { weight: 3, arbitrary: fc.integer({ min: 0, max: 900 }) },
          fc.integer({ min: 0, max: 40_000 }),
        ),
        token: fc.nat(3),
        cost: fc.constantFrom(READ, READ, WRITE, HANDSHAKE),
      });
      let version = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(call, { minLength: 1, maxLength: 60, size: 'max' }),
          fc.integer({ min: 1, max: 12 }),
          fc.integer({ min: 1, max: 6 }),
          async (calls, reads, own) => {
            const workspace = newTokenId(Date.now());
            const four = await tokens(4, { workspace, limits: { reads: own, writes: own } });
            await view.putWorkspaces(ceiling(reads, 4, version++, workspace));
            const granted: { atMs: number; token: number; cost: Cost }[] = [];
            for (const { gapMs, token, cost } of calls) {
              await opened.advance(gapMs);
              const atMs = opened.nowMs();
              if ((await kind(four[token]!, cost)) === 'admitted') granted.push({ atMs, token, cost });
            }
            for (const [index, { atMs: fromMs }] of granted.entries()) {
              // A store whose clock runs by itself has got a little further than was written down here.
              const within = granted.slice(index).filter(({ atMs }) => atMs < fromMs + 59_000);
              const sum = (budget: 'reads' | 'writes', token?: number): number =>
                within.reduce(
                  (all, each) => all + (token === undefined || each.token === token ? each.cost[budget] : 0),
                  0,
                );
              expect(sum('reads')).toBeLessThanOrEqual(reads);
              expect(sum('writes')).toBeLessThanOrEqual(4);
              for (let token = 0; token < 4; token++) expect(sum('reads', token)).toBeLessThanOrEqual(own);
            }
          },
        ),
        { numRuns: 15 },
      );
    }, 120_000);
  });
}
