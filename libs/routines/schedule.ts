import { Cron } from 'croner';
import type { Schedule } from './events.ts';

/** Five fields of digits, names, `*`, `,`, `-`, `/`, `#`; or a nickname. No seconds, years, dates, and no `?`, which means now. */
const FIELDS = /^(?:@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|[\w*,/#-]+(?: [\w*,/#-]+){4})$/i;
const SECOND_MS = 1000;

export interface ScheduleMistake {
  readonly field: 'cron' | 'time_zone';
  readonly message: string;
}

/** What is wrong with a schedule; null when it will fire after the instant. */
export function scheduleMistake(schedule: Schedule, afterMs: number): ScheduleMistake | null {
  if (!isTimeZone(schedule.time_zone)) {
    return { field: 'time_zone', message: 'must be a time zone, like Europe/Berlin or UTC' };
  }
  if (!FIELDS.test(schedule.cron)) {
    return { field: 'cron', message: 'must be five fields (minute hour day month weekday) or @hourly, @daily, …' };
  }
  let first: number | null;
  try {
    first = nextSlot(schedule, afterMs);
  } catch {
    return { field: 'cron', message: 'is no cron expression' };
  }
  return first === null ? { field: 'cron', message: 'never fires' } : null;
}

/**
 * The first slot after an instant, Unix ms; null: none. Where clocks are put forward a fixed time that is left out
 * comes at the first minute after the gap; where they are put back it comes once,
 * an interval (every half hour) in both hours.
 * @throws for what is no schedule
 */
export function nextSlot(schedule: Schedule, afterMs: number): number | null {
  return cronOf(schedule).nextRun(new Date(afterMs))?.getTime() ?? null;
}

/** The last slot at or before an instant, but not before `fromMs`, itself a slot: of several missed, the one to run. */
export function latestSlot(schedule: Schedule, fromMs: number, atMs: number): number {
  const cron = cronOf(schedule);
  // The one before the next second: a slot in this very one is not after us.
  const [before] = cron.previousRuns(1, new Date(Math.floor(atMs / SECOND_MS) * SECOND_MS + SECOND_MS));
  return Math.max(fromMs, before?.getTime() ?? fromMs);
}

/** The day of an instant where the schedule is read: `2026-11-24`. */
export function dayOf({ time_zone: timeZone }: Schedule, atMs: number): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(atMs);
}

const cronOf = ({ cron, time_zone: timezone }: Schedule): Cron => new Cron(cron, { mode: '5-part', timezone });

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}
