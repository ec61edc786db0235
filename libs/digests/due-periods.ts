import { type Period, periodAt, periodBefore, PERIOD_KINDS, type PeriodKind } from './period.ts';

/** After its end a period waits so long for uses that are recorded late: journals take seconds, counted refusals a minute. */
export const GRACE_MS = 10 * 60_000;

/** How far back digests that were missed are made unasked. */
const CAUGHT_UP: Readonly<Record<PeriodKind, number>> = { daily: 31, weekly: 8, monthly: 12 };

export const isOver = ({ toMs }: Period, nowMs: number): boolean => nowMs >= toMs + GRACE_MS;

/** The periods whose digests should be there now, oldest first; none that ended before the log began. */
export function duePeriods(nowMs: number, logBeganMs: number): Period[] {
  return PERIOD_KINDS.flatMap((kind) => {
    const due: Period[] = [];
    let period = periodAt(kind, nowMs);
    if (!isOver(period, nowMs)) period = periodBefore(period);
    if (!isOver(period, nowMs)) period = periodBefore(period);
    for (; due.length < CAUGHT_UP[kind] && period.toMs > logBeganMs; period = periodBefore(period)) due.push(period);
    return due;
  }).toSorted((a, b) => a.toMs - b.toMs || a.fromMs - b.fromMs);
}
