import { setTimeout as delay } from 'node:timers/promises';
import { type EventData, jsonEvent } from '@eventstore/db-client';
import {
  type Appended,
  AppendTooLarge,
  type ExpectedRevision,
  LogUnavailable,
  type NewEvent,
  OutcomeUnknown,
  type RecordedEvent,
  StreamDeleted,
  WrongExpectedRevision,
} from '../event-log.ts';
import { failureOf } from './append-failure.ts';
import { backOffMs, SETTLING_MS } from './back-off.ts';
import { NotSent, type RenewedClient } from './client.ts';

/** How long an append of unknown outcome is repeated before its caller is told so. */
const UNKNOWN_OUTCOME_MS = 5_000;

export interface Append {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

/** Where to append, how long one answer may take, and how to see what a stream holds. */
export interface Target {
  readonly source: RenewedClient;
  readonly deadlineMs: number;
  read(stream: string, from: number, limit: number): Promise<readonly RecordedEvent[]>;
}

/**
 * Appends, repeating byte for byte at the old revision while the outcome is unknown: event ids make that idempotent,
 * because a first try that was stored left the expected revision behind the head.
 */
export async function appendUntilCertain(target: Target, append: Append): Promise<Appended> {
  const { stream, expected, events } = append;
  const sent = events.map(({ id, type, data, metadata }) => jsonEvent({ id, type, data, metadata } as never));
  const started = Date.now();
  let perhapsStored = false;
  for (let tries = 0; ; tries++) {
    try {
      return await appendOnce(target, append, sent);
    } catch (error) {
      const failure = failureOf(error);
      switch (failure.kind) {
        case 'conflict': {
          const earlier = perhapsStored ? await storedBefore(target, append) : undefined;
          if (earlier !== undefined) return earlier;
          throw new WrongExpectedRevision(stream, expected, failure.actual);
        }
        case 'deleted':
          throw new StreamDeleted(`stream ${stream} is deleted`, { cause: error });
        case 'too-large':
          throw new AppendTooLarge(`the server refused an append to ${stream} as too large`, { cause: error });
        case 'refused':
          throw new LogUnavailable('the event log refused the append', { cause: error });
        case 'not-stored':
          break;
        case 'unknown':
          perhapsStored = true;
          break;
        default:
          failure satisfies never;
      }
      const patienceMs = perhapsStored ? UNKNOWN_OUTCOME_MS : SETTLING_MS;
      const { closing } = target.source;
      if (closing.aborted || Date.now() - started >= patienceMs) {
        if (!perhapsStored) throw new LogUnavailable('the event log does not answer', { cause: error });
        throw new OutcomeUnknown(`an append to ${stream} may or may not be stored`, { cause: error });
      }
      await delay(backOffMs(tries), undefined, { signal: closing }).catch(() => undefined);
    }
  }
}

/** Requires the leader, as reads that decide do: a follower would hand it on, and may lose its answer. */
async function appendOnce(target: Target, append: Append, events: readonly EventData[]): Promise<Appended> {
  const { source, deadlineMs } = target;
  const { stream, expected } = append;
  const expectedRevision =
    expected === 'any' ? ('any' as const) : expected === 'no-stream' ? ('no_stream' as const) : BigInt(expected);
  const client = await inTime(source.ready(), target).catch((error: unknown) => {
    throw error instanceof NotSent ? error : new NotSent('the server was not reached', { cause: error });
  });
  const options = { requiresLeader: true, deadline: deadlineMs };
  const appending = client.appendToStream(stream, [...events], { expectedRevision, ...options });
  const { success, nextExpectedRevision, position } = await inTime(appending, target);
  if (!success || position === undefined) throw new Error('the server named no position for an append');
  return { revision: Number(nextExpectedRevision), position: Number(position.commit) };
}

/** The client forgets appends of a connection that broke while it waited to write: hence a clock of our own. */
async function inTime<T>(asked: Promise<T>, { source, deadlineMs }: Target): Promise<T> {
  const answered = new AbortController();
  const late = delay(deadlineMs, undefined, { signal: AbortSignal.any([answered.signal, source.closing]) }).then(
    () => Promise.reject(new Error(`no answer to an append in ${deadlineMs} ms`)),
    () => Promise.reject(new Error('the log was closed during an append')),
  );
  late.catch(() => undefined);
  asked.catch(() => undefined);
  try {
    return await Promise.race([asked, late]);
  } finally {
    answered.abort();
  }
}

/** A conflict met after an unknown outcome may be with ourselves: the stream's contents tell. */
async function storedBefore(target: Target, { stream, expected, events }: Append): Promise<Appended | undefined> {
  const from = expected === 'no-stream' || expected === 'any' ? 0 : expected + 1;
  const stored = await target.read(stream, from, events.length).catch((error: unknown) => {
    throw new OutcomeUnknown(`an append to ${stream} may or may not be stored`, { cause: error });
  });
  const last = stored.at(-1);
  if (last === undefined || !events.every(({ id }, index) => stored[index]?.id === id)) return undefined;
  return { revision: last.revision, position: last.position };
}
