import { setTimeout as delay } from 'node:timers/promises';
import type { EventStoreDBClient, StreamingRead } from '@eventstore/db-client';
import { LogUnavailable, type RecordedEvent, StreamDeleted } from '../event-log.ts';
import { backOffMs, SETTLING_MS } from './back-off.ts';
import type { RenewedClient } from './client.ts';
import { type Resolved, toRecorded } from './recorded.ts';

/** Begins behind `last`, when that has been read already. */
export type Open = (client: EventStoreDBClient, last: RecordedEvent | undefined) => StreamingRead<Resolved>;

class NothingRead extends Error {
  override readonly name = 'NothingRead';
}

/**
 * Reads to the end or till the consumer stops. A broken connection, a change of leader (whose first read is always
 * refused) and a server that is not ready are waited out, going on behind the last event; a wait for one event longer
 * than the deadline counts as unavailable.
 * @throws LogUnavailable, StreamDeleted
 */
export async function* readOn(
  source: RenewedClient,
  deadlineMs: number,
  what: string,
  open: Open,
): AsyncGenerator<RecordedEvent> {
  let last: RecordedEvent | undefined;
  let failing: { readonly sinceMs: number; tries: number } | undefined;
  for (;;) {
    source.assertOpen();
    const client = source.current;
    try {
      for await (const event of eachOf(open(client, last), deadlineMs, what)) {
        last = event;
        failing = undefined;
        yield event;
      }
      // A client that is disposed of ends its reads as if they were complete.
      source.assertOpen();
      if (source.current === client) return;
    } catch (error) {
      if (error instanceof LogUnavailable) throw error;
      const { type } = Object(error) as { type?: string };
      if (type === 'stream-not-found') return;
      if (type === 'stream-deleted') throw new StreamDeleted(`stream ${what} is deleted`, { cause: error });
      failing ??= { sinceMs: Date.now(), tries: 0 };
      if (forGood(error) || Date.now() - failing.sinceMs >= SETTLING_MS) {
        throw new LogUnavailable(`cannot read ${what}`, { cause: error });
      }
      await delay(backOffMs(failing.tries++), undefined, { signal: source.closing }).catch(() => undefined);
    }
  }
}

async function* eachOf(read: StreamingRead<Resolved>, deadlineMs: number, what: string): AsyncGenerator<RecordedEvent> {
  let waiting = true;
  let ended = false;
  const timer = setInterval(() => {
    if (waiting) read.destroy(new NothingRead(`nothing read from ${what} in ${deadlineMs} ms`));
  }, deadlineMs);
  try {
    for await (const resolved of read.iterator({ destroyOnReturn: false })) {
      waiting = false;
      yield toRecorded(resolved as Resolved);
      waiting = true;
      timer.refresh();
    }
    ended = true;
  } finally {
    clearInterval(timer);
    read.on('error', () => undefined);
    if (!ended) {
      read.cancel().catch(() => undefined);
      // Drained, not destroyed: the client's own stream behind it would never end, nor disposing of the client.
      read.resume();
    }
  }
}

/** Whether asking again can help nothing. */
function forGood(error: unknown): boolean {
  const { type } = Object(error) as { type?: string };
  return error instanceof NothingRead || type === 'access-denied' || type === 'invalid-argument';
}
