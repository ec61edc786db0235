import { setTimeout as delay } from 'node:timers/promises';
import { type EventData, type EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
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

/** How long an append of unknown outcome is repeated before its caller is told so. */
const UNKNOWN_OUTCOME_MS = 5_000;
/** How long an append that surely never left is tried again: enough for a reconnect or a change of leader. */
const NEVER_SENT_MS = 1_000;

export interface Append {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

/** Where to append, how long one answer may take, and how to see what a stream holds. */
export interface Target {
  readonly client: EventStoreDBClient;
  readonly deadlineMs: number;
  readonly closing: AbortSignal;
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
      const { type, actual } = facts(error);
      if (type === 'wrong-expected-version') {
        const earlier = perhapsStored ? await storedBefore(target, append) : undefined;
        if (earlier !== undefined) return earlier;
        throw new WrongExpectedRevision(stream, expected, actual);
      }
      if (type === 'stream-deleted') throw new StreamDeleted(`stream ${stream} is deleted`, { cause: error });
      if (type === 'maximum-append-size-exceeded') {
        throw new AppendTooLarge(`the server refused an append to ${stream} as too large`, { cause: error });
      }
      if (surelyRefused.has(type ?? '')) throw new LogUnavailable('the event log refused the append', { cause: error });
      perhapsStored ||= !neverSent(error);
      const patienceMs = perhapsStored ? UNKNOWN_OUTCOME_MS : NEVER_SENT_MS;
      if (target.closing.aborted || Date.now() - started >= patienceMs) {
        if (!perhapsStored) throw new LogUnavailable('the event log does not answer', { cause: error });
        throw new OutcomeUnknown(`an append to ${stream} may or may not be stored`, { cause: error });
      }
      await delay(backOffMs(tries), undefined, { signal: target.closing }).catch(() => undefined);
    }
  }
}

async function appendOnce(target: Target, append: Append, events: readonly EventData[]): Promise<Appended> {
  const { client, deadlineMs, closing } = target;
  const { stream, expected } = append;
  const expectedRevision =
    expected === 'any' ? 'any' : expected === 'no-stream' ? ('no_stream' as const) : BigInt(expected);
  const timeout = new AbortController();
  const appending = client.appendToStream(stream, [...events], { expectedRevision, deadline: deadlineMs });
  // The client forgets appends of a connection that broke while it waited to write: hence a clock of our own.
  const late = delay(deadlineMs, undefined, { signal: AbortSignal.any([timeout.signal, closing]) }).then(
    () => Promise.reject(new Error(`no answer to an append in ${deadlineMs} ms`)),
    () => Promise.reject(new Error('the log was closed during an append')),
  );
  late.catch(() => undefined);
  try {
    const { success, nextExpectedRevision, position } = await Promise.race([appending, late]);
    if (!success || position === undefined) throw new Error('the server named no position for an append');
    return { revision: Number(nextExpectedRevision), position: Number(position.commit) };
  } finally {
    timeout.abort();
    appending.catch(() => undefined);
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

const surelyRefused = new Set(['access-denied', 'invalid-argument', 'unsupported', 'bad-request']);

/** The client asks what a server can do before it sends anything: that failing is a plain error with code 14, untyped. */
function neverSent(error: unknown): boolean {
  const { type, code } = facts(error);
  return type === 'not-leader' || (type === undefined && code === 14);
}

interface Facts {
  readonly type: string | undefined;
  readonly code: number | undefined;
  readonly actual: number | 'no-stream';
}

function facts(error: unknown): Facts {
  const { type, code, actualVersion } = Object(error) as { type?: string; code?: number; actualVersion?: unknown };
  return { type, code, actual: typeof actualVersion === 'bigint' ? Number(actualVersion) : 'no-stream' };
}

/** Doubles from 25 ms to 800 ms, jittered so that many callers do not come back together. */
export function backOffMs(tries: number): number {
  return 25 * 2 ** Math.min(tries, 5) * (0.5 + Math.random());
}
