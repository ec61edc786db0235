import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import type { HotView } from '../../libs/hot-view/hot-view.ts';
import type { HotViewInspection, Taken } from '../../libs/hot-view/inspection.ts';
import type { Difference, TableComparison } from '../../libs/projection/build.ts';
import { lineageKey } from '../../libs/tokens/token-id.ts';
import { Checksum } from './checksum.ts';
import { recentUses } from './recent-uses.ts';
import { type Shortfall, shortfallOf } from './shortfall.ts';

export interface CompareWindowsOptions {
  readonly log: EventLog;
  readonly view: HotView & { readonly inspection: HotViewInspection };
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

export interface WindowsComparison {
  readonly table: TableComparison;
  readonly difference: Difference | null;
}

const USES_A_TURN = 500;
const LINEAGES_A_LOOK = 500;

/**
 * Holds the windows of a view that serves against the uses in the log. The log is read first: each use in it was counted
 * before it was recorded, so the view, looked at afterwards, holds all of them that are still in their window by its
 * clock then, and perhaps more (calls under way, calls whose record failed), never less. Names the lineage used last of
 * those that differ. @throws LogUnavailable, ViewUnavailable
 */
export async function compareWindows(options: CompareWindowsOptions, signal: AbortSignal): Promise<WindowsComparison> {
  const { view } = options;
  const recorded = [...(await recordedByLineage(options, signal)).values()];
  const checksum = new Checksum();
  let difference: Difference | null = null;
  for (let from = 0; from < recorded.length; from += LINEAGES_A_LOOK) {
    signal.throwIfAborted();
    const some = recorded.slice(from, from + LINEAGES_A_LOOK);
    const counted = await view.inspection.counted(some.map(({ token }) => token));
    for (const [index, { token, taken: byPlace }] of some.entries()) {
      const taken = [...byPlace.values()];
      checksum.add(JSON.stringify([lineageKey(token), ...taken]));
      const shortfall = difference === null ? shortfallOf(taken, counted[index]!) : null;
      if (shortfall !== null) difference = differenceOf((await view.get(token))?.lineage ?? token, shortfall);
    }
  }
  const same = difference === null;
  return { table: { table: 'windows', rows: recorded.length, checksum: checksum.text, same }, difference };
}

interface RecordedLineage {
  /** Any of its tokens. */
  readonly token: string;
  /** By budget and second. */
  readonly taken: Map<string, Taken>;
}

async function recordedByLineage(
  { log, clock }: CompareWindowsOptions,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RecordedLineage>> {
  const lineages = new Map<string, RecordedLineage>();
  let uses = 0;
  for await (const { use } of recentUses(log, clock())) {
    signal.throwIfAborted();
    if (++uses % USES_A_TURN === 0) await nextTurn();
    const { token, budget, cost, reason, status, window_second: second } = use;
    // A write of unknown outcome is in the journal as failed, and may have been stored with its use all the same.
    if (cost === 0 || (reason === 'failed' && status >= 500)) continue;
    const key = lineageKey(token);
    let lineage = lineages.get(key);
    if (lineage === undefined) lineages.set(key, (lineage = { token, taken: new Map() }));
    const place = `${budget} ${second}`;
    lineage.taken.set(place, { budget, second, cost: cost + (lineage.taken.get(place)?.cost ?? 0) });
  }
  return lineages;
}

const differenceOf = (lineage: string, { budget, since, log, view }: Shortfall): Difference => ({
  table: 'windows',
  key: { lineage, since: new Date(since * 1000).toISOString() },
  what: 'different',
  columns: [budget],
  counts: { log, view },
});
