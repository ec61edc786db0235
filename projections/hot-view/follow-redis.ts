import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '../../libs/event-log/event-log.ts';
import type { RedisHotView } from '../../libs/hot-view/redis/redis-hot-view.ts';
import { TOKEN_PREFIX } from '../../libs/tokens/events.ts';
import { type Follower, type FollowOptions, putToken, rebuildTokens, recentUses, type TokenSink } from './follow.ts';

export interface FollowRedisOptions extends Omit<FollowOptions, 'view'> {
  readonly view: RedisHotView;
  /** Default: 250. */
  readonly beatMs?: number;
  /**
   * How long a use may wait for its record: before windows are counted from the log, what was metered on a view since
   * lost has been recorded or will never be answered. Default: 5000.
   */
  readonly appendDeadlineMs?: number;
}

const BEAT_MS = 250;
const APPEND_DEADLINE_MS = 5_000;
const RETRY_MS = 250;
/** Of so many beats, one asks the log whether it is still there: a subscription is silent when it is cut off. */
const BEATS_A_QUESTION = 4;

/**
 * Builds the shared view from the log, certifies it, keeps it at the log's head and beats; all anew when the view is
 * lost. Any number of processes do so beside each other. Resolves once certified for the first time; retries until then.
 */
export async function followIntoRedis(options: FollowRedisOptions): Promise<Follower> {
  const stopping = new AbortController();
  const first = Promise.withResolvers<void>();
  const following = followAndRetry(options, stopping.signal, first.resolve);
  await Promise.race([first.promise, following]);
  return {
    async stop() {
      stopping.abort();
      await following;
    },
  };
}

async function followAndRetry(
  options: FollowRedisOptions,
  stopping: AbortSignal,
  onCertified: () => void,
): Promise<void> {
  while (!stopping.aborted) {
    try {
      await followOnce(options, stopping, onCertified);
    } catch (error) {
      if (!stopping.aborted) options.onFault(error as Error);
    }
    await sleep(RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}

/** Until the view is lost. */
async function followOnce(options: FollowRedisOptions, stopping: AbortSignal, onCertified: () => void): Promise<void> {
  const { log, view, appendDeadlineMs = APPEND_DEADLINE_MS } = options;
  // A view that is being built need not vouch for anything.
  const sink: TokenSink = { ...options, view: { put: (tokens) => view.build(tokens), park: (id) => view.park(id) } };
  const building = await view.beginBuilding();
  const stands = (await view.doubt()) === null;
  const head = await log.head();
  if (!stands && head !== null) await sleep(appendDeadlineMs, undefined, { signal: stopping });
  await rebuildTokens(sink);
  // The second it was metered in, exactly: that of a live view is recognised by it.
  await view.refill(await recentUses(options, (use) => use.window_second));

  const lost = new AbortController();
  let position: Position | null = head;
  let beating: Promise<void> | null = null;
  const signal = AbortSignal.any([stopping, lost.signal]);
  try {
    for await (const message of log.subscribe({ after: head, streamPrefixes: [TOKEN_PREFIX], signal })) {
      if (message.kind === 'events') {
        for (const event of message.events) {
          await putToken(sink, event);
          position = event.position;
        }
        continue;
      }
      position = message.position ?? position;
      if (message.kind === 'caught-up' && beating === null) {
        await view.certify(position, building);
        beating = beat(options, signal, () => position).finally(() => lost.abort());
        onCertified();
      }
    }
  } finally {
    lost.abort();
    await beating;
  }
}

/** Returns when the view must be certified anew, or the signal is aborted. */
async function beat(
  { log, view, onFault, beatMs = BEAT_MS }: FollowRedisOptions,
  signal: AbortSignal,
  position: () => Position | null,
): Promise<void> {
  for (let count = 1; !signal.aborted; count++) {
    try {
      if (count % BEATS_A_QUESTION === 0) await log.head();
      if ((await view.beat(position())) !== null) return;
    } catch (error) {
      // Log or view out of reach: no beat, and the view grows stale by itself.
      onFault(error as Error);
    }
    await sleep(beatMs, undefined, { signal }).catch(() => undefined);
  }
}
