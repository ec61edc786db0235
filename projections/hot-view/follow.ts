import type { Catalogues } from '../../libs/catalogue/catalogue.ts';
import type { EventLog, Position, RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { HotView } from '../../libs/hot-view/hot-view.ts';
import type { HotViewMaintenance, RecordedUse } from '../../libs/hot-view/maintenance.ts';
import { TOKEN_PREFIX, type TokenEvent } from '../../libs/tokens/events.ts';
import { loadToken } from '../../libs/tokens/load-token.ts';
import { evolve, noToken, type Token } from '../../libs/tokens/token.ts';
import { toViewToken } from '../../libs/tokens/view-token.ts';
import { useOf } from '../../libs/usage/use.ts';
import { WINDOW_BUCKETS } from '../../libs/window/window.ts';

export interface FollowOptions {
  readonly log: EventLog;
  readonly view: HotView & HotViewMaintenance;
  readonly catalogues: Catalogues;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly onFault: (error: Error) => void;
}

export interface Follower {
  stop(): Promise<void>;
}

/** How much later than its metering a use may have been recorded: the journal's wait and the append's own deadline. */
const RECORDED_LATER_MS = 30_000;
const TOKENS_A_PUT = 1_000;

/**
 * Builds the view from the log, certifies it, and keeps it at the log's head. Resolves once it is certified; until
 * then the view answers nobody (P4).
 */
export async function followIntoHotView(options: FollowOptions): Promise<Follower> {
  const { log, view } = options;
  const head = await log.head();
  await rebuildTokens(options);
  view.refill(await recentUses(options));
  view.certify(head);
  const stopping = new AbortController();
  const following = follow(options, head, stopping.signal).catch((error: Error) => {
    if (!stopping.signal.aborted) options.onFault(error);
  });
  return {
    async stop() {
      stopping.abort();
      await following;
    },
  };
}

interface Folded {
  token: Token;
  revision: number;
}

async function rebuildTokens({ log, view, catalogues, onFault }: FollowOptions): Promise<void> {
  const tokens = new Map<string, Folded>();
  const activated = new Set<string>();
  const parked = new Set<string>();
  for await (const event of log.readAll({ streamPrefixes: [TOKEN_PREFIX] })) {
    const id = event.stream.slice(TOKEN_PREFIX.length);
    if (parked.has(id)) continue;
    const folded = tokens.get(id) ?? { token: noToken, revision: -1 };
    try {
      folded.token = evolve(folded.token, event as RecordedEvent & TokenEvent);
    } catch (error) {
      parked.add(id);
      view.park(id);
      onFault(error as Error);
      continue;
    }
    folded.revision = event.revision;
    tokens.set(id, folded);
    if (event.type === 'TokenRotated')
      activated.add((event as RecordedEvent & TokenEvent & { type: 'TokenRotated' }).data.successor);
  }
  let batch = [];
  for (const [id, { token, revision }] of tokens) {
    if (token.status === 'none') continue;
    const standing = { token, revision, activated: token.predecessor === null || activated.has(id) };
    batch.push(toViewToken(standing, catalogues));
    if (batch.length === TOKENS_A_PUT) {
      await view.put(batch);
      batch = [];
    }
  }
  await view.put(batch);
}

/** The uses that may still lie in a window, from the end of the log backwards. */
async function recentUses({ log, clock }: FollowOptions): Promise<RecordedUse[]> {
  const nowMs = clock();
  const oldestMs = nowMs - WINDOW_BUCKETS * 1000 - RECORDED_LATER_MS;
  const uses: RecordedUse[] = [];
  // The same use may stand in several events of one append.
  const seen = new Set<string>();
  for await (const event of log.readAll({ direction: 'backwards' })) {
    if (event.recordedAt < oldestMs) break;
    const use = useOf(event);
    if (use === null) continue;
    const key = `${use.request_id} ${use.token} ${use.time}`;
    if (seen.has(key)) continue;
    seen.add(key);
    uses.push({ token: use.token, budget: use.budget, cost: use.cost, windowSecond: use.window_second });
  }
  return uses;
}

/** Keeps what other processes write; this one's own writes are there already, and ignored by their version. */
async function follow(options: FollowOptions, from: Position | null, signal: AbortSignal): Promise<void> {
  const { log, view, catalogues, onFault } = options;
  for await (const message of log.subscribe({ after: from, streamPrefixes: [TOKEN_PREFIX], signal })) {
    if (message.kind !== 'events') continue;
    for (const event of message.events) {
      const id = event.stream.slice(TOKEN_PREFIX.length);
      try {
        const ids =
          event.type === 'TokenRotated'
            ? [id, (event as RecordedEvent & TokenEvent & { type: 'TokenRotated' }).data.successor]
            : [id];
        const standing = await Promise.all(ids.map((each) => loadToken(log, each)));
        await view.put(standing.filter((each) => each !== null).map((each) => toViewToken(each, catalogues)));
      } catch (error) {
        view.park(id);
        onFault(error as Error);
      }
    }
  }
}
