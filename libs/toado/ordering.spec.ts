import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gapAmong, inOrder, type Placed, type Placement, positionIn } from './ordering.ts';

const scatter = fc.stringMatching(/^[0-9A-HJKMNP-TV-Z]{16}$/);
/** Where the n-th of a list is put: at an end, or beside one of those before it. */
const step = fc.record({ where: fc.constantFrom('first', 'last', 'before', 'after'), beside: fc.nat(), scatter });

const placementOf = (where: string, beside: Placed | undefined): Placement => {
  if (where === 'first' || where === 'last' || beside === undefined) return where === 'first' ? 'first' : 'last';
  return where === 'before' ? { before: beside.id } : { after: beside.id };
};

/** The same, kept in an array: what positions must agree with. */
const insert = (order: string[], id: string, placement: Placement): string[] => {
  if (placement === 'first') return [id, ...order];
  if (placement === 'last') return [...order, id];
  const index = 'before' in placement ? order.indexOf(placement.before) : order.indexOf(placement.after) + 1;
  return order.toSpliced(index, 0, id);
};

describe('positions', () => {
  it('keep any sequence of insertions in order, and change none that is there', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const placed: Placed[] = [];
        let order: string[] = [];
        for (const [n, { where, beside, scatter: text }] of steps.entries()) {
          const placement = placementOf(where, placed[beside % Math.max(1, placed.length)]);
          const gap = gapAmong(placed, placement);
          if (gap === null) throw new Error('the neighbour is there');
          placed.push({ id: String(n), position: positionIn(gap, text) });
          order = insert(order, String(n), placement);
        }
        expect(placed.toSorted(inOrder).map(({ id }) => id)).toEqual(order);
        expect(new Set(placed.map(({ position }) => position)).size).toBe(placed.length);
      }),
    );
  });

  it('lie strictly within their gap', () => {
    fc.assert(
      fc.property(scatter, scatter, fc.boolean(), fc.boolean(), (one, other, open, down) => {
        const a = positionIn({ lower: null, upper: null }, one);
        const b = down ? positionIn({ lower: null, upper: a }, other) : positionIn({ lower: a, upper: null }, other);
        const [lower, upper] = a < b ? [a, b] : [b, a];
        const gap = open ? { lower, upper: null } : { lower, upper };
        const position = positionIn(gap, other);
        expect(position > lower && (gap.upper === null || position < gap.upper)).toBe(true);
      }),
    );
  });

  it('differ where two are put into one gap at once', () => {
    fc.assert(
      fc.property(scatter, scatter, (one, other) => {
        fc.pre(one.slice(-6) !== other.slice(-6));
        const gap = { lower: positionIn({ lower: null, upper: null }), upper: null };
        expect(positionIn(gap, one)).not.toBe(positionIn(gap, other));
      }),
    );
  });

  it('stay short, however many are put at an end', () => {
    let last: string | null = null;
    let first: string | null = null;
    for (let n = 0; n < 10_000; n++) {
      last = positionIn({ lower: last, upper: null }, `ZZZZ${n}ZZZZZZ`);
      first = positionIn({ lower: null, upper: first }, `ZZZZ${n}ZZZZZZ`);
    }
    expect(Math.max(last!.length, first!.length)).toBeLessThan(16);
  });

  it('are none beside what is not there', () => {
    expect(gapAmong([{ id: 'a', position: 'a0' }], { before: 'b' })).toBeNull();
  });
});
