import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { duePeriods, GRACE_MS, isOver } from './due-periods.ts';
import { parsePeriod, periodAt, periodBefore, PERIOD_KINDS } from './period.ts';

const range = (id: string): readonly (string | undefined)[] => {
  const period = parsePeriod(id);
  return [period?.fromMs, period?.toMs].map((ms) => (ms === undefined ? ms : new Date(ms).toISOString().slice(0, 10)));
};

describe('a period', () => {
  it('is a day, an ISO week or a month, UTC, without its end', () => {
    expect(range('2026-11-24')).toEqual(['2026-11-24', '2026-11-25']);
    expect(range('2026-11')).toEqual(['2026-11-01', '2026-12-01']);
    expect(range('2024-02')).toEqual(['2024-02-01', '2024-03-01']);
    // ISO 8601: weeks begin on Monday; the first holds the fourth of January.
    expect(range('2026-W48')).toEqual(['2026-11-23', '2026-11-30']);
    expect(range('2026-W01')).toEqual(['2025-12-29', '2026-01-05']);
    expect(range('2020-W53')).toEqual(['2020-12-28', '2021-01-04']);
    expect(range('2021-W01')).toEqual(['2021-01-04', '2021-01-11']);
  });

  it('is nothing else', () => {
    const none = [
      '2026-13',
      '2026-00',
      '2026-02-29',
      '2026-11-31',
      '2021-W53',
      '2026-W00',
      '2026-W54',
      '2026',
      '',
      'W1',
    ];
    expect(none.filter((id) => parsePeriod(id) !== null)).toEqual([]);
  });

  it('of every instant there is one of each kind, with one before it and no gap', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1970-02-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
        fc.constantFrom(...PERIOD_KINDS),
        (date, kind) => {
          const period = periodAt(kind, date.getTime());
          expect(period.fromMs <= date.getTime() && date.getTime() < period.toMs).toBe(true);
          expect(periodBefore(period).toMs).toBe(period.fromMs);
          expect(parsePeriod(period.id)).toEqual(period);
        },
      ),
    );
  });
});

describe('the periods that are due', () => {
  const now = Date.parse('2026-11-30T00:10:00Z');

  it('are 31 days, 8 weeks and 12 months at most, the last of them over with its grace', () => {
    const due = duePeriods(now, 0);
    const ids = (kind: string): string[] => due.filter((period) => period.kind === kind).map(({ id }) => id);
    expect([ids('daily').length, ids('daily').at(-1)]).toEqual([31, '2026-11-29']);
    expect([ids('weekly').length, ids('weekly').at(-1)]).toEqual([8, '2026-W48']);
    expect([ids('monthly').length, ids('monthly').at(-1)]).toEqual([12, '2026-10']);
    expect(due).toEqual(due.toSorted((a, b) => a.toMs - b.toMs));
  });

  it('are none within the grace, and none that ended before the log began', () => {
    const [first] = duePeriods(now - 1, Date.parse('2026-11-28T12:00:00Z'));
    expect(first?.id).toBe('2026-11-28');
    expect(duePeriods(now - 1, Date.parse('2026-11-29T12:00:00Z'))).toEqual([]);
    expect(duePeriods(now, Date.parse('2026-11-29T12:00:00Z')).map(({ id }) => id)).toEqual(['2026-W48', '2026-11-29']);
    expect(isOver(periodAt('daily', now), now + GRACE_MS)).toBe(false);
  });
});
