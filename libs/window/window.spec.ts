import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Window, WINDOW_BUCKETS } from './window.ts';

/** Calls by their distance in ms from the one before; a negative one is a clock step back. */
const calls = (from: number) =>
  fc.array(fc.integer({ min: from, max: 3_000 }), { minLength: 1, maxLength: 400, size: 'max' });
const START = 1_800_000_000_000;

interface Grant {
  readonly realMs: number;
}

/** What a limiter over this window grants, clock readings and true times apart. */
function grants(gapsMs: readonly number[], limit: number, restartAt = -1): Grant[] {
  let window = new Window();
  let realMs = START;
  let clockMs = START;
  let last = 0;
  const granted: { realMs: number; second: number }[] = [];
  gapsMs.forEach((gapMs, index) => {
    realMs += Math.abs(gapMs);
    clockMs += gapMs;
    // The view's clock never runs back.
    last = Math.max(last, Math.floor(clockMs / 1000));
    if (index === restartAt) {
      window = new Window();
      for (const { second } of granted) window.refill(second, 1, last);
    }
    if (window.used(last) + 1 > limit) return;
    window.take(last, 1);
    granted.push({ realMs, second: last });
  });
  return granted;
}

/** The most granted in any 60 s, by true times. */
function mostInAMinute(granted: readonly Grant[]): number {
  let most = 0;
  let first = 0;
  granted.forEach(({ realMs }, index) => {
    while (granted[first]!.realMs <= realMs - 60_000) first++;
    most = Math.max(most, index - first + 1);
  });
  return most;
}

describe('P3 the limit is the limit', () => {
  it('tells what was taken in each second, to the last one of it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 100 }), (gaps) => {
        const window = new Window();
        const expected = new Map<number, number>();
        let second = START / 1000;
        for (const gap of gaps) {
          second += gap;
          window.take(second, gap + 1);
          expected.set(second, (expected.get(second) ?? 0) + gap + 1);
          const within = [...expected].filter(([at]) => at > second - WINDOW_BUCKETS);
          expect([...window.taken(second)]).toEqual(within.toReversed());
        }
      }),
    );
  });

  it('never more than N in any 60 seconds', () => {
    fc.assert(
      fc.property(calls(0), fc.integer({ min: 1, max: 50 }), (gaps, limit) => {
        expect(mostInAMinute(grants(gaps, limit))).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it('nor through clock steps back', () => {
    fc.assert(
      fc.property(calls(-2_000), fc.integer({ min: 1, max: 50 }), (gaps, limit) => {
        expect(mostInAMinute(grants(gaps, limit))).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it('nor through a restart that refills from the record', () => {
    fc.assert(
      fc.property(calls(0), fc.integer({ min: 1, max: 50 }), fc.nat(400), (gaps, limit, restartAt) => {
        expect(mostInAMinute(grants(gaps, limit, restartAt))).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it('nor by a second that lies before the last', () => {
    const window = new Window();
    window.take(100, 3);
    expect(window.used(99)).toBe(3);
    window.take(98, 1);
    expect(window.used(100)).toBe(4);
    expect(window.used(160)).toBe(4);
    expect(window.used(161)).toBe(0);
  });

  it('and at least 95% of it is attainable', () => {
    const minutes = 20;
    for (const limit of [1, 7, 60, 600]) {
      const granted = grants(
        Array.from({ length: minutes * 60 * 20 }, () => 50),
        limit,
      );
      expect(granted.length).toBeGreaterThanOrEqual(0.95 * limit * minutes);
    }
  });

  it('says when it will be given back', () => {
    fc.assert(
      fc.property(calls(0), fc.integer({ min: 1, max: 20 }), (gaps, limit) => {
        const window = new Window();
        let ms = START;
        for (const gap of gaps) {
          ms += gap;
          const second = Math.floor(ms / 1000);
          if (window.used(second) < limit) window.take(second, 1);
        }
        const now = Math.floor(ms / 1000);
        const wait = window.retryAfterSeconds(now, 1, limit);
        const reset = window.resetSeconds(now);
        expect(window.used(now + wait)).toBeLessThan(limit);
        if (wait > 1) expect(grantableAfter(gaps, limit, wait - 1)).toBe(false);
        expect(window.used(now + reset)).toBe(0);
      }),
    );
  });
});

function grantableAfter(gaps: readonly number[], limit: number, seconds: number): boolean {
  const window = new Window();
  let ms = START;
  for (const gap of gaps) {
    ms += gap;
    if (window.used(Math.floor(ms / 1000)) < limit) window.take(Math.floor(ms / 1000), 1);
  }
  return window.used(Math.floor(ms / 1000) + seconds) < limit;
}
