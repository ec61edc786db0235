import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import type { HotView } from '../../libs/hot-view/hot-view.ts';
import type { Counted, HotViewInspection, Taken } from '../../libs/hot-view/inspection.ts';
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
const WINDOWS_A_LOOK = 500;

/**
 * Holds the windows of a view that serves against the uses in the log: of lineages, and what was taken from workspaces'
 * ceilings. The log is read first: each use in it was counted before it was recorded, so the view, looked at afterwards,
 * holds all of them that are still in their window by its clock then, and perhaps more (calls under way, calls whose
 * record failed), never less. Names the lineage or workspace used last of those that differ. @throws LogUnavailable,
 * ViewUnavailable
 */
export async function compareWindows(options: CompareWindowsOptions, signal: AbortSignal): Promise<WindowsComparison> {
  const { inspection } = options.view;
  const { lineages, workspaces } = await recordedWindows(options, signal);
  const checksum = new Checksum();
  const ofLineages = await firstShortfall(lineages, (tokens) => inspection.counted(tokens), checksum, signal);
  const ofWorkspaces = await firstShortfall(workspaces, (ids) => inspection.countedCeilings(ids), checksum, signal);
  let difference: Difference | null = null;
  if (ofLineages !== null) {
    const { id: token, shortfall } = ofLineages;
    difference = differenceOf({ lineage: (await options.view.get(token))?.lineage ?? token }, shortfall);
  } else if (ofWorkspaces !== null) difference = differenceOf({ workspace: ofWorkspaces.id }, ofWorkspaces.shortfall);
  const rows = lineages.size + workspaces.size;
  const same = difference === null;
  return { table: { table: 'windows', rows, checksum: checksum.text, same }, difference };
}

/** What the log holds of one lineage's or workspace's windows. */
interface RecordedWindows {
  /** Any token of the lineage; the workspace. */
  readonly id: string;
  /** By budget and second. */
  readonly taken: Map<string, Taken>;
}

async function firstShortfall(
  recorded: ReadonlyMap<string, RecordedWindows>,
  countedOf: (ids: readonly string[]) => readonly Counted[] | Promise<readonly Counted[]>,
  checksum: Checksum,
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly shortfall: Shortfall } | null> {
  let first: { readonly id: string; readonly shortfall: Shortfall } | null = null;
  const all = [...recorded];
  for (let from = 0; from < all.length; from += WINDOWS_A_LOOK) {
    signal.throwIfAborted();
    const some = all.slice(from, from + WINDOWS_A_LOOK);
    const counted = await countedOf(some.map(([, { id }]) => id));
    for (const [index, [key, { id, taken: byPlace }]] of some.entries()) {
      const taken = [...byPlace.values()];
      checksum.add(JSON.stringify([key, ...taken]));
      const shortfall: Shortfall | null = first === null ? shortfallOf(taken, counted[index]!) : null;
      if (shortfall !== null) first = { id, shortfall };
    }
  }
  return first;
}

async function recordedWindows(
  { log, clock }: CompareWindowsOptions,
  signal: AbortSignal,
): Promise<{ readonly lineages: Map<string, RecordedWindows>; readonly workspaces: Map<string, RecordedWindows> }> {
  const lineages = new Map<string, RecordedWindows>();
  const workspaces = new Map<string, RecordedWindows>();
  let uses = 0;
  for await (const { use } of recentUses(log, clock())) {
    signal.throwIfAborted();
    if (++uses % USES_A_TURN === 0) await nextTurn();
    const { token, workspace, budget, cost, reason, status, window_second, ceiling_second } = use;
    // A write of unknown outcome is in the journal as failed, and may have been stored with its use all the same.
    if (cost === 0 || (reason === 'failed' && status >= 500)) continue;
    add(lineages, lineageKey(token), token, { budget, second: window_second, cost });
    if (ceiling_second !== undefined) add(workspaces, workspace, workspace, { budget, second: ceiling_second, cost });
  }
  return { lineages, workspaces };
}

function add(to: Map<string, RecordedWindows>, key: string, id: string, { budget, second, cost }: Taken): void {
  let windows = to.get(key);
  if (windows === undefined) to.set(key, (windows = { id, taken: new Map() }));
  const place = `${budget} ${second}`;
  windows.taken.set(place, { budget, second, cost: cost + (windows.taken.get(place)?.cost ?? 0) });
}

const differenceOf = (key: Difference['key'], { budget, since, log, view }: Shortfall): Difference => ({
  table: 'windows',
  key: { ...key, since: new Date(since * 1000).toISOString() },
  what: 'different',
  columns: [budget],
  counts: { log, view },
});
