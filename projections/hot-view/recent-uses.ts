import type { EventLog, RecordedEvent } from '../../libs/event-log/event-log.ts';
import { type TokenUse, useOf } from '../../libs/usage/use.ts';
import { WINDOW_BUCKETS } from '../../libs/window/window.ts';

/** How much later than its metering a use may have been recorded: the journal's wait and the append's own deadline. */
const RECORDED_LATER_MS = 10_000;

export interface RecentUse {
  readonly use: TokenUse;
  readonly event: RecordedEvent;
}

/** The uses that may still lie in a window, from the end of the log backwards. @param nowMs since 1970 @throws LogUnavailable */
export async function* recentUses(log: EventLog, nowMs: number): AsyncGenerator<RecentUse> {
  const oldestMs = nowMs - WINDOW_BUCKETS * 1000 - RECORDED_LATER_MS;
  // A write of several events carries its use in each of them.
  const written = new Set<string>();
  for await (const event of log.readAll({ direction: 'backwards' })) {
    if (event.recordedAt < oldestMs) break;
    const use = useOf(event);
    if (use === null) continue;
    if (event.type !== 'TokenUsed') {
      const write = `${use.request_id} ${use.resource}`;
      if (written.has(write)) continue;
      written.add(write);
    }
    yield { use, event };
  }
}
