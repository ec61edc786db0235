import type { Position } from '../event-log/event-log.ts';

/** The days, ISO weeks and months that digests are of: UTC, from midnight to midnight, the end not included. */
export const PERIOD_KINDS = ['daily', 'weekly', 'monthly'] as const;
export type PeriodKind = (typeof PERIOD_KINDS)[number];

export interface Period {
  readonly kind: PeriodKind;
  /** `2026-11-24`, `2026-W48` (ISO 8601), `2026-11`. */
  readonly id: string;
  readonly fromMs: number;
  /** Not included. */
  readonly toMs: number;
}

/** A period that is over, and the position of the event that closed it (events.ts). */
export interface ClosedPeriod {
  readonly period: Period;
  readonly position: Position;
}

const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** 1970-01-05, the first Monday. */
const A_MONDAY_MS = 4 * DAY_MS;

/** The period of a kind that an instant lies in. */
export function periodAt(kind: PeriodKind, atMs: number): Period {
  switch (kind) {
    case 'daily': {
      const fromMs = Math.floor(atMs / DAY_MS) * DAY_MS;
      return { kind, id: dateOf(fromMs), fromMs, toMs: fromMs + DAY_MS };
    }
    case 'weekly': {
      const fromMs = Math.floor((atMs - A_MONDAY_MS) / WEEK_MS) * WEEK_MS + A_MONDAY_MS;
      return { kind, id: weekId(fromMs), fromMs, toMs: fromMs + WEEK_MS };
    }
    case 'monthly': {
      const at = new Date(atMs);
      const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
      const fromMs = Date.UTC(year, month);
      return { kind, id: dateOf(fromMs).slice(0, 7), fromMs, toMs: Date.UTC(year, month + 1) };
    }
    default:
      return unknownKind(kind);
  }
}

export const periodBefore = ({ kind, fromMs }: Period): Period => periodAt(kind, fromMs - 1);

/** How long the stretches of a period's timeline are. */
export const stretchMs = ({ kind }: Period): number => (kind === 'daily' ? HOUR_MS : DAY_MS);

/** Null: no such day, week or month. */
export function parsePeriod(id: string): Period | null {
  const [, year, month, day, week] = /^(\d{4})-(?:(\d{2})(?:-(\d{2}))?|W(\d{2}))$/.exec(id) ?? [];
  if (year === undefined) return null;
  // The fourth of January lies in the first week of its year (ISO 8601).
  const period =
    week === undefined
      ? periodAt(day === undefined ? 'monthly' : 'daily', Date.UTC(Number(year), Number(month) - 1, Number(day ?? 1)))
      : periodAt('weekly', Date.UTC(Number(year), 0, 4) + (Number(week) - 1) * WEEK_MS);
  return period.id === id ? period : null;
}

/** A week belongs to the year of its Thursday (ISO 8601). */
function weekId(fromMs: number): string {
  const thursdayMs = fromMs + 3 * DAY_MS;
  const year = new Date(thursdayMs).getUTCFullYear();
  const week = Math.floor((thursdayMs - Date.UTC(year, 0)) / WEEK_MS) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function unknownKind(kind: never): never {
  throw new Error(`unknown kind of period ${String(kind)}`);
}
