import { type Budget, BUDGETS } from '../../usage/use.ts';
import type { RecordedCost } from '../maintenance.ts';
import { script } from './connection.ts';
import { REFILL } from './partition.lua.ts';
import type { ViewScripts } from './view-scripts.ts';

/** Uses that share windows, and the keys of their header and windows. */
export interface Refill {
  readonly keys: readonly string[];
  readonly uses: readonly RecordedCost[];
}

const SCRIPT = script(REFILL);
const WINDOWS_AT_ONCE = 500;
/** As the scripts number them. */
const numberOf = (budget: Budget): number => BUDGETS.indexOf(budget) + 1;

/** Of each second the greater of what is counted and what is recorded stays. @throws ViewUnavailable */
export async function refillWindows(scripts: ViewScripts, refills: readonly Refill[]): Promise<void> {
  // Not all at once: each has the deadline of a command.
  for (let from = 0; from < refills.length; from += WINDOWS_AT_ONCE) {
    const some = refills.slice(from, from + WINDOWS_AT_ONCE);
    await Promise.all(some.map(({ keys, uses }) => scripts.run(SCRIPT, keys, [scripts.offsetMs, ...countedOf(uses)])));
  }
}

/** The arguments of `REFILL` for these uses. */
function countedOf(uses: readonly RecordedCost[]): (string | number)[] {
  const buckets = Map.groupBy(
    uses.filter(({ cost }) => cost > 0),
    ({ budget, windowSecond, recordedAgoSeconds = '' }) => `${numberOf(budget)} ${windowSecond} ${recordedAgoSeconds}`,
  );
  return [...buckets.values()].flatMap((same) => {
    const { budget, windowSecond, recordedAgoSeconds = '' } = same[0]!;
    return [numberOf(budget), windowSecond, recordedAgoSeconds, same.reduce((sum, { cost }) => sum + cost, 0)];
  });
}
