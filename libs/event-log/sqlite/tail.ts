import type { Position, RecordedEvent } from '../event-log.ts';

/** Events kept: what subscriptions that follow the head at their own pace may still ask for. */
const MOST_KEPT = 4_000;

/**
 * The newest events as they were read last, without a gap: several subscriptions follow the whole log, and what one of
 * them has read and parsed the others need not read again.
 */
export class Tail {
  /** The events kept are those above it. */
  #above: Position = 0;
  #events: RecordedEvent[] = [];

  /** Events above a position, up to the newest kept; null where the tail does not reach back so far. */
  after(above: Position, limit: number): readonly RecordedEvent[] | null {
    const newest = this.#events.at(-1)?.position ?? this.#above;
    if (above < this.#above || above >= newest) return null;
    let low = 0;
    for (let high = this.#events.length; low < high;) {
      const middle = (low + high) >> 1;
      if (this.#events[middle]!.position <= above) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low, low + limit);
  }

  /** All events that lie above a position up to the last of these. */
  keep(above: Position, events: readonly RecordedEvent[]): void {
    const newest = this.#events.at(-1)?.position ?? this.#above;
    if (events.length === 0 || (events.at(-1)?.position ?? 0) <= newest) return;
    if (above === newest) this.#events.push(...events);
    else {
      this.#above = above;
      this.#events = [...events];
    }
    const gone = this.#events.length - MOST_KEPT;
    if (gone < MOST_KEPT / 2) return;
    this.#above = this.#events[gone - 1]!.position;
    this.#events = this.#events.slice(gone);
  }
}
