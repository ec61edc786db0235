import { setTimeout as delay } from 'node:timers/promises';
import { type AllStreamSubscription, START, streamNameFilter } from '@eventstore/db-client';
import type { Position, RecordedEvent, SubscribeOptions, SubscriptionMessage } from '../event-log.ts';
import { backOffMs } from './back-off.ts';
import type { RenewedClient } from './client.ts';
import { isOurs, type Resolved, toRecorded } from './recorded.ts';

/** Events waiting for the consumer before the server is held back. */
const MOST_WAITING = 1_000;
/** Far ends of a large $all pass four times quicker than with the default 32. */
const MAX_SEARCH_WINDOW = 5_000;

type Heard =
  | { readonly kind: 'event'; readonly event: RecordedEvent }
  | { readonly kind: 'passed'; readonly position: Position }
  | { readonly kind: 'caught-up' };

/**
 * Follows $all from a position, resubscribing from the last one reached whenever the connection drops, until
 * `ended` aborts. With prefixes the server filters and says what it passed over; without, the server's own streams
 * are passed over here.
 */
export async function* follow(
  source: RenewedClient,
  { after, streamPrefixes }: SubscribeOptions,
  ended: AbortSignal,
): AsyncGenerator<SubscriptionMessage> {
  let last = after;
  for (let tries = 0; !ended.aborted; tries++) {
    const connection = new Connection(source, last, streamPrefixes, ended);
    try {
      for (;;) {
        const heard = await connection.next();
        if (heard === undefined || ended.aborted) break;
        tries = 0;
        for (const message of grouped(heard, last)) {
          last = message.kind === 'events' ? (message.events.at(-1)?.position ?? last) : message.position;
          yield message;
          if (ended.aborted) return;
        }
      }
    } finally {
      connection.close();
    }
    await delay(backOffMs(tries), undefined, { signal: ended }).catch(() => undefined);
  }
}

/** Runs of events become one message; positions passed over one checkpoint, at most. */
function* grouped(heard: readonly Heard[], before: Position | null): Generator<SubscriptionMessage> {
  let last = before;
  let events: RecordedEvent[] = [];
  let passed: Position | undefined;
  for (const [index, one] of heard.entries()) {
    if (one.kind === 'event') {
      events.push(one.event);
      last = one.event.position;
      passed = undefined;
    } else if (one.kind === 'passed') {
      if (one.position > (last ?? -1)) passed = last = one.position;
    }
    if (one.kind !== 'caught-up' && index < heard.length - 1) continue;
    if (events.length > 0) yield { kind: 'events', events };
    if (passed !== undefined) yield { kind: 'checkpoint', position: passed };
    if (one.kind === 'caught-up') yield { kind: 'caught-up', position: last };
    events = [];
    passed = undefined;
  }
}

/** One subscription of the client's, until it breaks. */
class Connection {
  readonly #subscription: AllStreamSubscription;
  readonly #ended: AbortSignal;
  readonly #wake = (): void => this.#waiting?.();
  #waiting: (() => void) | undefined;
  #heard: Heard[] = [];
  #broken = false;
  /** Events that came out of the client's buffer. */
  #received = 0;
  /** Said between two events, but known before those buffered ahead of it came out. */
  #later: { readonly behind: number; readonly heard: Heard }[] = [];

  constructor(
    source: RenewedClient,
    after: Position | null,
    prefixes: readonly string[] | undefined,
    ended: AbortSignal,
  ) {
    this.#ended = ended;
    const filter =
      prefixes &&
      streamNameFilter({
        prefixes: [...prefixes],
        maxSearchWindow: MAX_SEARCH_WINDOW,
        checkpointReached: (_subscription, { commit }) => this.#say({ kind: 'passed', position: Number(commit) }),
      });
    const fromPosition = after === null ? START : { commit: BigInt(after), prepare: BigInt(after) };
    this.#subscription = source.current.subscribeToAll({ fromPosition, ...(filter && { filter }) });
    this.#subscription.on('data', (resolved: Resolved) => this.#receive(resolved, prefixes));
    this.#subscription.on('caughtUp', () => this.#say({ kind: 'caught-up' }));
    for (const end of ['error', 'end', 'close'] as const) this.#subscription.on(end, () => this.#break());
    ended.addEventListener('abort', this.#wake);
  }

  /** What was heard since the last call, once there is something; undefined when the connection is over. */
  async next(): Promise<readonly Heard[] | undefined> {
    if (this.#heard.length === 0 && !this.#broken && !this.#ended.aborted) {
      await new Promise<void>((resolve) => (this.#waiting = resolve));
      this.#waiting = undefined;
    }
    if (this.#heard.length === 0) return undefined;
    const heard = this.#heard;
    this.#heard = [];
    this.#subscription.resume();
    return heard;
  }

  close(): void {
    this.#ended.removeEventListener('abort', this.#wake);
    if (!this.#broken) this.#subscription.unsubscribe().catch(() => undefined);
    // Data goes on coming for a while after unsubscribing.
    this.#broken = true;
    this.#heard = [];
  }

  #receive(resolved: Resolved, prefixes: readonly string[] | undefined): void {
    if (this.#broken) return;
    this.#received += 1;
    const event = toRecorded(resolved);
    if (isOurs(event, prefixes)) this.#heard.push({ kind: 'event', event });
    else this.#heard.push({ kind: 'passed', position: event.position });
    for (let next = this.#later[0]; next && next.behind <= this.#received; next = this.#later[0]) {
      this.#heard.push(next.heard);
      this.#later.shift();
    }
    if (this.#heard.length >= MOST_WAITING) this.#subscription.pause();
    this.#wake();
  }

  #say(heard: Heard): void {
    if (this.#broken) return;
    const behind = this.#received + this.#subscription.readableLength;
    if (behind > this.#received) this.#later.push({ behind, heard });
    else this.#heard.push(heard);
    this.#wake();
  }

  #break(): void {
    this.#broken = true;
    this.#wake();
  }
}
