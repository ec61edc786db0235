import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Catalogues } from '../../libs/catalogue/catalogue.ts';
import { type EventLog, LogUnavailable, type Position, type RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { HotView, ViewToken } from '../../libs/hot-view/hot-view.ts';
import type { HotViewMaintenance, RecordedCeilingUse, RecordedUse } from '../../libs/hot-view/maintenance.ts';
import { COMPANY_PREFIX } from '../../libs/toado/companies/events.ts';
import { loadViewCompany } from '../../libs/tokens/company-limits.ts';
import { TOKEN_PREFIX, tokenStream } from '../../libs/tokens/events.ts';
import { loadToken } from '../../libs/tokens/load-token.ts';
import { type StandingToken, toViewToken, versionOf } from '../../libs/tokens/view-token.ts';
import { WORKSPACE_PREFIX } from '../../libs/workspace/events.ts';
import { loadViewWorkspace } from '../../libs/workspace/view-workspace.ts';
import { FOLLOWED_PREFIXES, foldView, successorOf } from './fold-view.ts';
import { type RecentUse, recentUses } from './recent-uses.ts';

export interface FollowOptions {
  readonly log: EventLog;
  readonly view: HotView & HotViewMaintenance;
  readonly catalogues: Catalogues;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly onFault: (error: Error) => void;
}

export interface Follower {
  /** How far the view is, as this process knows it; null before the first event. */
  position(): Position | null;
  stop(): Promise<void>;
}

const TOKENS_A_PUT = 1_000;
const LIMITS_A_PUT = 500;

/**
 * Builds the view from the log, certifies it, and keeps it at the log's head. Resolves once it is certified; until
 * then the view answers nobody (P4).
 */
export async function followIntoHotView(options: FollowOptions): Promise<Follower> {
  const { log, view, catalogues } = options;
  const head = await log.head();
  await view.useCatalogues(catalogues.digest);
  await rebuild(options);
  // Not the events: after a heavy minute they are many.
  const uses: RecordedUse[] = [];
  const ceilingUses: RecordedCeilingUse[] = [];
  for await (const recent of recentUses(log, options.clock())) {
    uses.push(laterSecond(recent));
    ceilingUses.push(...laterCeilingSecond(recent));
  }
  await view.refill(uses);
  await view.refillCeilings(ceilingUses);
  await view.certify(head);
  const stopping = new AbortController();
  let reached = head;
  const following = follow(options, head, (position) => (reached = position), stopping.signal);
  return {
    position: () => reached,
    async stop() {
      stopping.abort();
      await following;
    },
  };
}

/** What is written to while the tokens are read from the log. */
export type TokenSink = Omit<FollowOptions, 'view' | 'clock'> & {
  readonly view: Pick<FollowOptions['view'], 'put' | 'putCompanies' | 'putWorkspaces' | 'park'>;
};

/** Writes every token, company and workspace of the log as they stand now; `concerns` picks some tokens by their id, or by any of their lineage's. */
export async function rebuild(
  { log, view, catalogues, onFault }: TokenSink,
  concerns: (id: string) => boolean = () => true,
): Promise<void> {
  const { companies, workspaces, tokens, parked } = await foldView(log, { concerns });
  for (const some of inBatches(companies, LIMITS_A_PUT)) await view.putCompanies(some);
  for (const some of inBatches(workspaces, LIMITS_A_PUT)) await view.putWorkspaces(some);
  let batch: ViewToken[] = [];
  const putting = new OneAhead((some: readonly ViewToken[]) => view.put(some));
  for (const standing of tokens()) {
    batch.push(toViewToken(standing, catalogues));
    if (batch.length < TOKENS_A_PUT) continue;
    await putting.begin(batch);
    batch = [];
  }
  await putting.begin(batch);
  await putting.end();
  for (const [id, { revision, reason }] of parked) {
    await view.park(id, versionOf(revision, true));
    onFault(new Error(reason));
  }
}

/** Writes one item after the other, each while the next is made. */
class OneAhead<Item> {
  readonly #write: (item: Item) => Promise<void> | void;
  #writing: Promise<void> = Promise.resolve();

  constructor(write: (item: Item) => Promise<void> | void) {
    this.#write = write;
  }

  /** Once the item before is written. @throws what writing that one threw */
  async begin(item: Item): Promise<void> {
    await this.#writing;
    this.#writing = Promise.resolve(this.#write(item));
    this.#writing.catch(() => undefined);
    // So that it goes out before the next is made.
    await nextTurn();
  }

  /** @throws what writing the last one threw */
  async end(): Promise<void> {
    await this.#writing;
  }
}

/** A view whose clock lagged (the machine slept) named an earlier second than the log: the later one counts. */
const laterSecond = ({ use: { token, budget, cost, window_second }, event }: RecentUse): RecordedUse => ({
  token,
  budget,
  cost,
  windowSecond: Math.max(window_second, Math.floor(event.recordedAt / 1000)),
});

/** What it took from its workspace's ceiling, if anything. */
const laterCeilingSecond = ({ use, event }: RecentUse): RecordedCeilingUse[] => {
  const { workspace, budget, cost, ceiling_second } = use;
  if (ceiling_second === undefined) return [];
  const windowSecond = Math.max(ceiling_second, Math.floor(event.recordedAt / 1000));
  return [{ workspace, budget, cost, windowSecond }];
};

const RETRY_MS = 500;

/**
 * Keeps what other processes write; this one's own writes are there already, and ignored by their version. A log or
 * view out of reach is tried again, from the last token that was put.
 */
async function follow(
  options: FollowOptions,
  from: Position | null,
  onReached: (position: Position) => void,
  signal: AbortSignal,
): Promise<void> {
  let after = from;
  while (!signal.aborted) {
    try {
      for await (const message of options.log.subscribe({ after, streamPrefixes: FOLLOWED_PREFIXES, signal })) {
        if (message.kind === 'events') {
          for (const event of message.events) {
            await putEvent(options, event);
            after = event.position;
            onReached(event.position);
          }
        } else if (message.position !== null) onReached(message.position);
      }
    } catch (error) {
      if (signal.aborted) return;
      options.onFault(error as Error);
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Writes what an event has changed, as it stands now. @throws LogUnavailable, ViewUnavailable */
export async function putEvent(sink: TokenSink, event: RecordedEvent): Promise<void> {
  const { log, view } = sink;
  if (event.stream.startsWith(COMPANY_PREFIX)) {
    const company = await loadViewCompany(log, event.stream.slice(COMPANY_PREFIX.length));
    if (company !== null) await view.putCompanies([company]);
  } else if (event.stream.startsWith(WORKSPACE_PREFIX)) {
    const workspace = await loadViewWorkspace(log, event.stream.slice(WORKSPACE_PREFIX.length));
    if (workspace !== null) await view.putWorkspaces([workspace]);
  } else await putToken(sink, event);
}

/** The token of an event, and the one it activates. */
async function putToken({ log, view, catalogues, onFault }: TokenSink, event: RecordedEvent): Promise<void> {
  const id = event.stream.slice(TOKEN_PREFIX.length);
  const successor = successorOf(event);
  const standing: StandingToken[] = [];
  for (const each of successor === null ? [id] : [id, successor]) {
    try {
      const token = await loadToken(log, each);
      if (token !== null) standing.push(token);
    } catch (error) {
      if (error instanceof LogUnavailable) throw error;
      // Its events are not understood: the token stands still, and only it.
      await view.park(each, versionOf(await headRevision(log, each), true));
      onFault(error as Error);
    }
  }
  await view.put(standing.map((token) => toViewToken(token, catalogues)));
}

const inBatches = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, batch) => items.slice(batch * size, (batch + 1) * size));

async function headRevision(log: EventLog, id: string): Promise<number> {
  for await (const { revision } of log.readStream(tokenStream(id), { direction: 'backwards', limit: 1 }))
    return revision;
  return -1;
}
