import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Taken } from '../../libs/hot-view/inspection.ts';
import { Window, WINDOW_BUCKETS } from '../../libs/window/window.ts';
import { shortfallOf } from './shortfall.ts';

const NOW = 1_800_000_000;
const reads = (second: number, cost = 1): Taken => ({ budget: 'reads', second, cost });
const within = (recorded: readonly Taken[], taken: readonly Taken[]) => shortfallOf(recorded, { second: NOW, taken });

describe('P3 P6 windows against the log', () => {
  it('the same, and more, are no shortfall; a use counted later than it was metered is none either', () => {
    const log = [reads(NOW - 50, 2), reads(NOW - 3)];
    expect(within(log, log)).toBeNull();
    expect(within(log, [...log, reads(NOW), reads(NOW - 60, 9)])).toBeNull();
    expect(within(log, [reads(NOW - 49, 2), reads(NOW)])).toBeNull();
  });

  it('what is lost is told with both numbers, from where most of it is missing', () => {
    const log = [reads(NOW - 50, 2), reads(NOW - 20, 3), reads(NOW - 3)];
    expect(within(log, [])).toEqual({ budget: 'reads', since: NOW - 50, log: 6, view: 0 });
    expect(within(log, [reads(NOW - 50, 2), reads(NOW - 3)])).toEqual({
      budget: 'reads',
      since: NOW - 20,
      log: 4,
      view: 1,
    });
  });

  it('what would be given back too soon is one, however much there is in all', () => {
    expect(within([reads(NOW - 3, 5)], [reads(NOW - 40, 50)])).toMatchObject({ since: NOW - 3, log: 5, view: 0 });
  });

  it('one budget does not make up for another', () => {
    const write: Taken = { budget: 'writes', second: NOW - 3, cost: 1 };
    expect(within([write], [reads(NOW - 3, 5)])).toMatchObject({ budget: 'writes', log: 1, view: 0 });
  });

  it('what has left the window is not missed, and what is yet to come counts as now', () => {
    expect(within([reads(NOW - WINDOW_BUCKETS, 5)], [])).toBeNull();
    expect(within([reads(NOW + 2)], [reads(NOW)])).toBeNull();
    expect(within([reads(NOW + 2)], [])).toMatchObject({ since: NOW, log: 1, view: 0 });
  });

  it('there is one where, and only where, the view will let in what the log would not', () => {
    const uses = fc.array(
      fc.record({ second: fc.integer({ min: NOW - 70, max: NOW }), cost: fc.integer({ min: 1, max: 3 }) }),
      {
        maxLength: 6,
      },
    );
    const windowOf = (all: readonly { second: number; cost: number }[]): Window => {
      const window = new Window();
      for (const { second, cost } of all) window.refill(second, cost, NOW);
      return window;
    };
    fc.assert(
      fc.property(uses, uses, (log, view) => {
        const [ofLog, ofView] = [windowOf(log), windowOf(view)];
        let handedOut = false;
        for (let second = NOW; second < NOW + WINDOW_BUCKETS; second++) {
          handedOut ||= ofView.used(second) < ofLog.used(second);
        }
        const asTaken = (all: typeof log): Taken[] => all.map(({ second, cost }) => reads(second, cost));
        expect(within(asTaken(log), asTaken(view)) !== null).toBe(handedOut);
      }),
      { numRuns: 1_000 },
    );
  });
});
