import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Schedule } from './events.ts';
import { dayOf, latestSlot, nextSlot, scheduleMistake } from './schedule.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu');
const cron = fc.constantFrom(
  '* * * * *',
  '*/7 * * * *',
  '30 2 * * *',
  '0,30 1-3 * * *',
  '15 */6 * * 1-5',
  '0 3 1 * *',
  '0 12 * * SUN',
  '@hourly',
);
const schedule: fc.Arbitrary<Schedule> = fc.record({ cron, time_zone: zone });
/** Around the days clocks are changed, above all. */
const instant = fc.oneof(
  fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2028-01-01') }),
  fc
    .tuple(
      fc.constantFrom('2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01'),
      fc.integer({ min: -DAY_MS, max: DAY_MS }),
    )
    .map(([day, offMs]) => Date.parse(day) + offMs),
);
const inZone = (timeZone: string, ms: number): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(ms);

describe('a schedule', () => {
  it('fires later, at whole minutes, and at the same moments however it is walked', () => {
    fc.assert(
      fc.property(schedule, instant, fc.integer({ min: 1, max: 20 }), (given, fromMs, steps) => {
        let at = fromMs;
        for (let step = 0; step < steps; step++) {
          const next = nextSlot(given, at);
          expect(next).not.toBeNull();
          expect(next).toBeGreaterThan(at);
          expect((next ?? 0) % MINUTE_MS).toBe(0);
          // From any moment in between it is the same one.
          expect(nextSlot(given, Math.floor((at + (next ?? 0)) / 2))).toBe(next);
          at = next ?? 0;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('of several slots that came meanwhile the latest is the last one walked to, clocks changed or not', () => {
    fc.assert(
      fc.property(schedule, instant, fc.integer({ min: 0, max: 2 * DAY_MS }), (given, fromMs, laterMs) => {
        const first = nextSlot(given, fromMs) ?? 0;
        const now = first + laterMs;
        let last = first;
        for (let steps = 0; steps < 500; steps++) {
          const next = nextSlot(given, last);
          if (next === null || next > now) break;
          last = next;
        }
        // 500 minutes of an every-minute schedule are enough to believe it.
        fc.pre((nextSlot(given, last) ?? Infinity) > now);
        expect(latestSlot(given, first, now)).toBe(last);
      }),
      { numRuns: 60 },
    );
  });

  it('a fixed time that clocks leave out comes at the end of the gap; one that comes twice is one slot', () => {
    const berlin = { cron: '30 2 * * *', time_zone: 'Europe/Berlin' };
    const spring = nextSlot(berlin, Date.parse('2026-03-28T12:00:00Z')) ?? 0;
    expect(inZone('Europe/Berlin', spring)).toBe('2026-03-29 03:00');
    const autumn = nextSlot(berlin, Date.parse('2026-10-24T12:00:00Z')) ?? 0;
    expect(inZone('Europe/Berlin', autumn)).toBe('2026-10-25 02:30');
    expect(inZone('Europe/Berlin', nextSlot(berlin, autumn) ?? 0)).toBe('2026-10-26 02:30');
  });

  it('an interval comes in both hours when clocks are put back', () => {
    const halfHours = { cron: '*/30 * * * *', time_zone: 'Europe/Berlin' };
    let at = Date.parse('2026-10-24T23:45:00Z');
    const seen: string[] = [];
    for (let slot = 0; slot < 5; slot++) {
      at = nextSlot(halfHours, at) ?? 0;
      seen.push(inZone('Europe/Berlin', at).slice(11));
    }
    expect(seen).toEqual(['02:00', '02:30', '02:00', '02:30', '03:00']);
  });

  it('names the day where it is read', () => {
    const at = Date.parse('2026-11-24T23:30:00Z');
    expect(dayOf({ cron: '@daily', time_zone: 'Europe/Berlin' }, at)).toBe('2026-11-25');
    expect(dayOf({ cron: '@daily', time_zone: 'America/New_York' }, at)).toBe('2026-11-24');
  });

  it.each([
    ['0 0 30 2 *', 'never fires'],
    ['0 0 31 4,6,9,11 *', 'never fires'],
    ['61 * * * *', 'is no cron expression'],
    ['? * * * *', 'must be five fields'],
    ['* * * *', 'must be five fields'],
    ['*  * * * *', 'must be five fields'],
    ['@reboot', 'must be five fields'],
  ])('P12 %j %s', (wrong, message) => {
    const mistake = scheduleMistake({ cron: wrong, time_zone: 'UTC' }, Date.parse('2026-01-01'));
    expect(mistake?.message).toContain(message);
  });
});
