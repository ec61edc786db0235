import { randomUUID } from 'node:crypto';
import { BACKWARDS, END, FORWARDS, START } from '@eventstore/db-client';
import {
  type Appended,
  AppendTooLarge,
  type EventLog,
  type ExpectedRevision,
  LogUnavailable,
  MAX_APPEND_BYTES,
  type NewEvent,
  OutcomeUnknown,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type RecordedEvent,
  type SubscribeOptions,
  type SubscriptionMessage,
  type Upcast,
  WrongExpectedRevision,
} from '../event-log.ts';
import { ownMetadata } from '../own-metadata.ts';
import { appendUntilCertain } from './append.ts';
import { guardBatchStreams } from './batch-stream.ts';
import { RenewedClient } from './client.ts';
import { type Open, readOn } from './reading.ts';
import { isOurs, LOG_NAME_STREAM } from './recorded.ts';
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
  return Promise.resolve(new EventStoreLog(new RenewedClient(connectionString), upcast, deadlineMs));
}

class EventStoreLog implements EventLog {
  readonly filteredCheckpoints = 'sparse';
  readonly #source: RenewedClient;
  readonly #upcast: Upcast;
  readonly #deadlineMs: number;
  #name: string | undefined;

  constructor(source: RenewedClient, upcast: Upcast, deadlineMs: number) {
    this.#source = source;
    this.#upcast = upcast;
    this.#deadlineMs = deadlineMs;
  }

  /** The id of the first event of the stream `writ-log`, which the first to ask writes. @throws LogUnavailable */
  async id(): Promise<string> {
    this.#name ??= (await this.#firstNameEvent()) ?? (await this.#nameLog());
    return this.#name;
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended> {
    this.#source.assertOpen();
    const bytes = events.reduce((sum, event) => sum + Buffer.byteLength(JSON.stringify(event)), 0);
    if (bytes > MAX_APPEND_BYTES) throw new AppendTooLarge(`${bytes} bytes in one append to ${stream}`);
    if (events.length === 0) return this.#appendNothing(stream, expected);
    const target = {
      source: this.#source,
      deadlineMs: this.#deadlineMs,
      read: (name: string, from: number, limit: number) => Array.fromAsync(this.readStream(name, { from, limit })),
    };
    return appendUntilCertain(target, { stream, expected, events });
  }

  /** The stream's metadata is this log's own: whatever else was in it goes. The server's scavenge frees the space. */
  async truncate(stream: string, before: number): Promise<void> {
    const metadata = ownMetadata();
    await this.append(`$$${stream}`, 'any', [
      { id: randomUUID(), type: '$metadata', data: { $tb: before }, metadata },
    ]).catch((error: unknown) => {
      throw error instanceof OutcomeUnknown ? new LogUnavailable(error.message, { cause: error }) : error;
    });
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent> {
    const { from, direction = 'forwards', limit = Infinity } = options;
    if (limit <= 0) return;
    const forwards = direction === 'forwards';
    const start = from === undefined ? (forwards ? START : END) : BigInt(from);
    let left = limit;
    const events = this.#read(stream, (client, last) =>
      client.readStream(stream, {
        direction: forwards ? FORWARDS : BACKWARDS,
        fromRevision: last === undefined ? start : BigInt(last.revision + (forwards ? 1 : -1)),
        requiresLeader: true,
        ...(Number.isFinite(left) && { maxCount: left }),
      }),
    );
    for await (const event of events) {
      left -= 1;
      yield this.#upcast(event);
      // Asking for what is before the first event, or for none, is an error.
      if (left <= 0 || (!forwards && event.revision === 0)) return;
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    const { after, direction = 'forwards', limit = Infinity, streamPrefixes } = options;
    const forwards = direction === 'forwards';
    if (limit <= 0) return;
    let left = limit;
    const events = this.#read('$all', (client, last) => {
      const behind = last?.position ?? after;
      const start = forwards ? START : END;
      return client.readAll({
        direction: forwards ? FORWARDS : BACKWARDS,
        fromPosition: behind === undefined ? start : { commit: BigInt(behind), prepare: BigInt(behind) },
        requiresLeader: true,
      });
    });
    let last = after;
    for await (const event of events) {
      // The server begins with the event at the position when reading forwards.
      if (last !== undefined && (forwards ? event.position <= last : event.position >= last)) continue;
      last = event.position;
      if (!isOurs(event, streamPrefixes)) continue;
      yield this.#upcast(event);
      left -= 1;
      if (left <= 0) return;
    }
  }

  async *subscribe(options: SubscribeOptions): AsyncGenerator<SubscriptionMessage> {
    const signals = [this.#source.closing, ...(options.signal ? [options.signal] : [])];
    for await (const message of follow(this.#source, options, AbortSignal.any(signals))) {
      if (message.kind === 'events') yield { kind: 'events', events: message.events.map(this.#upcast) };
      else yield message;
    }
  }

  /** The server's own events count: a subscription's checkpoints get there too. */
  async head(): Promise<Position | null> {
    const newest = this.#read('$all', (client) =>
      client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1, requiresLeader: true }),
    );
    for await (const { position } of newest) return position;
    return null;
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  #read(what: string, open: Open): AsyncGenerator<RecordedEvent> {
    return readOn(this.#source, this.#deadlineMs, what, open);
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
}
