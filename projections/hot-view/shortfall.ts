import type { Counted, Taken } from '../../libs/hot-view/inspection.ts';
import { type Budget, BUDGETS } from '../../libs/usage/use.ts';
import { WINDOW_BUCKETS } from '../../libs/window/window.ts';

/** A budget of which the view will give back more, or sooner, than the log says was used. */
export interface Shortfall {
  readonly budget: Budget;
  /** Unix second: from then on the log holds so much, and the view counts less. */
  readonly since: number;
  readonly log: number;
  readonly view: number;
}

/**
 * Where the windows of a lineage hold less than the log: the greatest shortfall of any budget; null: nowhere. What was
 * used since a second is what the window that begins with it will hold, so all such sums are compared: a use counted in
 * a later second than it was metered in (a refill does that) is given back later, never sooner.
 */
export function shortfallOf(recorded: readonly Taken[], { second: now, taken }: Counted): Shortfall | null {
  let worst: Shortfall | null = null;
  for (const budget of BUDGETS) {
    const [inLog, inView] = [bySecond(recorded, budget, now), bySecond(taken, budget, now)];
    let [log, view] = [0, 0];
    for (let since = now; since > now - WINDOW_BUCKETS; since--) {
      log += inLog.get(since) ?? 0;
      view += inView.get(since) ?? 0;
      if (log - view > (worst === null ? 0 : worst.log - worst.view)) worst = { budget, since, log, view };
    }
  }
  return worst;
}

/** What was taken in each second; in one yet to come, as by a server's clock that was ahead, in this one. */
function bySecond(all: readonly Taken[], of: Budget, now: number): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  for (const { budget, second, cost } of all) {
    if (budget !== of) continue;
    const at = Math.min(second, now);
    sums.set(at, (sums.get(at) ?? 0) + cost);
  }
  return sums;
}
