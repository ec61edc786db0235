import { randomUUID } from 'node:crypto';
import { BACKWARDS, END, EventStoreDBClient, FORWARDS, START, type StreamingRead } from '@eventstore/db-client';
import {
  type Appended,
  AppendTooLarge,
  type EventLog,
  type ExpectedRevision,
  LogUnavailable,
  MAX_APPEND_BYTES,
  type NewEvent,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type RecordedEvent,
  StreamDeleted,
  type SubscribeOptions,
  type SubscriptionMessage,
  type Upcast,
  WrongExpectedRevision,
} from '../event-log.ts';
import { appendUntilCertain } from './append.ts';
import { guardBatchStreams } from './batch-stream.ts';
import { isOurs, LOG_NAME_STREAM, type Resolved, toRecorded } from './recorded.ts';
import { follow } from './subscription.ts';

export interface EventStoreSettings {
  /** `esdb://host:2113?tls=false`, `esdb+discover://…`; credentials in it are used, those of a call would be slow. */
  readonly connectionString: string;
  readonly upcast?: Upcast;
  /** How long one append, or one next event of a read, may take; milliseconds. Default 5,000. */
  readonly deadlineMs?: number;
}

/**
 * The event log in EventStoreDB. Open one log a process: the client keeps the pending appends of all its instances
 * together, so one's broken connection makes the others' outcomes unknown.
 * @throws Error when the connection string cannot be read; an unreachable server shows at the first use
 */
export function openEventStoreLog({
  connectionString,
  upcast = (event) => event,
  deadlineMs = 5_000,
}: EventStoreSettings): Promise<EventLog> {
  guardBatchStreams();
  const client = EventStoreDBClient.connectionString(connectionString);
  return Promise.resolve(new EventStoreLog(client, upcast, deadlineMs));
}

class EventStoreLog implements EventLog {
  readonly filteredCheckpoints = 'sparse';
  readonly #client: EventStoreDBClient;
  readonly #upcast: Upcast;
  readonly #deadlineMs: number;
  readonly #closing = new AbortController();
  #name: string | undefined;

  constructor(client: EventStoreDBClient, upcast: Upcast, deadlineMs: number) {
    this.#client = client;
    this.#upcast = upcast;
    this.#deadlineMs = deadlineMs;
  }

  /** The id of the first event of the stream `writ-log`, which the first to ask writes. @throws LogUnavailable */
  async id(): Promise<string> {
    this.#name ??= (await this.#firstNameEvent()) ?? (await this.#nameLog());
    return this.#name;
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended> {
    this.#assertOpen();
    const bytes = events.reduce((sum, event) => sum + Buffer.byteLength(JSON.stringify(event)), 0);
    if (bytes > MAX_APPEND_BYTES) throw new AppendTooLarge(`${bytes} bytes in one append to ${stream}`);
    if (events.length === 0) return this.#appendNothing(stream, expected);
    const target = {
      client: this.#client,
      deadlineMs: this.#deadlineMs,
      closing: this.#closing.signal,
      read: (name: string, from: number, limit: number) => Array.fromAsync(this.readStream(name, { from, limit })),
    };
    return appendUntilCertain(target, { stream, expected, events });
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#assertOpen();
    const { from, direction = 'forwards', limit = Infinity } = options;
    if (limit <= 0) return;
    const forwards = direction === 'forwards';
    const read = this.#client.readStream(stream, {
      direction: forwards ? FORWARDS : BACKWARDS,
      fromRevision: from === undefined ? (forwards ? START : END) : BigInt(from),
      requiresLeader: true,
      ...(Number.isFinite(limit) && { maxCount: limit }),
    });
    for await (const resolved of this.#each(read, stream)) yield this.#upcast(toRecorded(resolved));
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    this.#assertOpen();
    const { after, direction = 'forwards', limit = Infinity, streamPrefixes } = options;
    const forwards = direction === 'forwards';
    let left = limit;
    if (left <= 0) return;
    const fromPosition =
      after === undefined ? (forwards ? START : END) : { commit: BigInt(after), prepare: BigInt(after) };
    const read = this.#client.readAll({
      direction: forwards ? FORWARDS : BACKWARDS,
      fromPosition,
      requiresLeader: true,
    });
    for await (const resolved of this.#each(read)) {
      const event = toRecorded(resolved);
      // The server begins with the event at the position when reading forwards.
      if (after !== undefined && (forwards ? event.position <= after : event.position >= after)) continue;
      if (!isOurs(event.stream, streamPrefixes)) continue;
      yield this.#upcast(event);
      left -= 1;
      if (left <= 0) return;
    }
  }

  async *subscribe(options: SubscribeOptions): AsyncGenerator<SubscriptionMessage> {
    const signals = [this.#closing.signal, ...(options.signal ? [options.signal] : [])];
    for await (const message of follow(this.#client, options, AbortSignal.any(signals))) {
      if (message.kind === 'events') yield { kind: 'events', events: message.events.map(this.#upcast) };
      else yield message;
    }
  }

  /** The server's own events count: a subscription's checkpoints get there too. */
  async head(): Promise<Position | null> {
    this.#assertOpen();
    const read = this.#client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1, requiresLeader: true });
    for await (const resolved of this.#each(read)) return toRecorded(resolved).position;
    return null;
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#client.dispose();
  }

  /** Reads to the end or till the consumer stops; a wait longer than the deadline counts as unavailable. */
  async *#each<T extends Resolved>(read: StreamingRead<T>, stream = '$all'): AsyncGenerator<T> {
    let waiting = true;
    let ended = false;
    const timer = setInterval(() => {
      if (waiting) read.destroy(new Error(`nothing read from ${stream} in ${this.#deadlineMs} ms`));
    }, this.#deadlineMs);
    try {
      for await (const resolved of read) {
        waiting = false;
        yield resolved as T;
        waiting = true;
        timer.refresh();
      }
      ended = true;
    } catch (error) {
      const { type } = Object(error) as { type?: string };
      if (type === 'stream-not-found') return;
      if (type === 'stream-deleted') throw new StreamDeleted(`stream ${stream} is deleted`, { cause: error });
      throw new LogUnavailable(`cannot read ${stream}`, { cause: error });
    } finally {
      clearInterval(timer);
      read.on('error', () => undefined);
      if (!ended) read.cancel().catch(() => undefined);
    }
  }

  /** The server would take it too, but names no position. */
  async #appendNothing(stream: string, expected: ExpectedRevision): Promise<Appended> {
    const [last] = await Array.fromAsync(this.readStream(stream, { direction: 'backwards', limit: 1 }));
    const actual = last?.revision ?? 'no-stream';
    if (expected !== 'any' && expected !== actual) throw new WrongExpectedRevision(stream, expected, actual);
    return { revision: last?.revision ?? -1, position: last?.position ?? 0 };
  }

  async #firstNameEvent(): Promise<string | undefined> {
    const [first] = await Array.fromAsync(this.readStream(LOG_NAME_STREAM, { limit: 1 }));
    return first?.id;
  }

  async #nameLog(): Promise<string> {
    const id = randomUUID();
    const metadata = { $correlationId: id, $causationId: id, schema: 1 };
    try {
      await this.append(LOG_NAME_STREAM, 'no-stream', [{ id, type: 'LogNamed', data: {}, metadata }]);
      return id;
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision)) throw error;
      const first = await this.#firstNameEvent();
      if (first === undefined) throw error;
      return first;
    }
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw new LogUnavailable('the log is closed');
  }
}
