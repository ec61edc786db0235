import type { LogReader, Position, RecordedEvent } from '../event-log/event-log.ts';
import type { ExportFilter, OpenedValues } from '../proof/export-lines.ts';
import { JOURNALS_STREAM } from '../proof/tally.ts';
import type { PublishedCheckpoint, Tree } from './tree.ts';

/** Which events an export shows, and up to where. */
export interface ExportOptions {
  readonly log: LogReader;
  readonly tree: Tree;
  readonly checkpoint: PublishedCheckpoint;
  readonly filter: ExportFilter;
  /** Whether an event may be shown to whoever asked: of their workspace (P13). */
  readonly mayShow: (event: RecordedEvent) => boolean;
  /** RFC 3339. */
  readonly madeAt: string;
  /** Shows what is sealed in an event beside it. Absent: a provable export shows nothing personal. */
  readonly openedIn?: (event: RecordedEvent) => Promise<readonly OpenedValues[]>;
  /** Goes on with an export that broke off: the first leaf of which nothing was received. Absent: from its beginning. */
  readonly continueFrom?: number;
}

/** An event to be shown, and its leaf. */
export interface Selected {
  readonly leaf: number;
  readonly event: RecordedEvent;
}

/** The events to show, in the log's order; read from the first leaf on that may be one. */
export async function* selectEvents(options: ExportOptions): AsyncGenerator<Selected> {
  const { log, tree, checkpoint, filter, mayShow, continueFrom = 0 } = options;
  const matches = matcherOf(filter);
  let leaf = Math.max(continueFrom, filter.from_leaf ?? 0);
  const limit = checkpoint.size - leaf;
  if (limit <= 0) return;
  const after = leaf === 0 ? {} : { after: await positionBefore(tree, leaf) };
  for await (const event of log.readAll({ ...after, limit })) {
    const here = leaf++;
    if (matches(event) && mayShow(event)) yield { leaf: here, event };
  }
}

async function positionBefore(tree: Tree, leaf: number): Promise<Position> {
  const position = await tree.positionOf(leaf - 1);
  if (position === null) throw new Error(`the tree has no leaf ${leaf - 1} yet`);
  return position;
}

/**
 * Whether an event is asked for. What shows that an export hides nothing, the registry of journals and their tallies,
 * always is.
 */
function matcherOf({ token, operation, type, from, to }: ExportFilter): (event: RecordedEvent) => boolean {
  const fromMs = from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from);
  const toMs = to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to);
  return (event) => {
    if (event.stream === JOURNALS_STREAM || event.type === 'UsesTallied') return true;
    if (event.recordedAt < fromMs || event.recordedAt >= toMs) return false;
    if (type !== undefined && event.type !== type) return false;
    if (token !== undefined && !concernsToken(event, token)) return false;
    return operation === undefined || operationOf(event) === operation;
  };
}

/** An event of the token's life, a use of it, or what it wrote. */
function concernsToken(event: RecordedEvent, token: string): boolean {
  if (event.stream === `token-${token}`) return true;
  if ((event.data as { readonly token?: unknown } | null)?.token === token) return true;
  const { use, actor } = event.metadata as { use?: { token?: unknown }; actor?: { token?: unknown } };
  return use?.token === token || actor?.token === token;
}

function operationOf(event: RecordedEvent): unknown {
  const use = event.metadata['use'] as { readonly operation?: unknown } | undefined;
  return use?.operation ?? (event.data as { readonly operation?: unknown } | null)?.operation;
}
