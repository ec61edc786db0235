import type {
  Appended,
  EventLog,
  ExpectedRevision,
  LogReader,
  NewEvent,
  Position,
  ReadAllOptions,
  ReadStreamOptions,
  RecordedEvent,
  SubscribeOptions,
  SubscriptionMessage,
} from '../event-log/event-log.ts';
import { mayBeArchived, mayMeetArchived } from './archived-streams.ts';
import { type Archives, inOrder } from './archives.ts';

/** Events read at a time. */
const CHUNK = 1_000;

interface Stretch {
  /** Both exclusive. */
  readonly above: Position;
  readonly below: Position;
  readonly backwards: boolean;
  readonly limit: number;
  readonly streamPrefixes: readonly string[] | undefined;
}

/**
 * A log and its archives, read as if nothing had ever left it. Each part is read from the log first and then from the
 * archives: what was let go of meanwhile had its archive before.
 */
export class ArchivedLogReader implements LogReader {
  readonly #log: LogReader;
  readonly #archives: Archives;

  constructor(log: LogReader, archives: Archives) {
    this.#log = log;
    this.#archives = archives;
  }

  get filteredCheckpoints(): LogReader['filteredCheckpoints'] {
    return this.#log.filteredCheckpoints;
  }

  id(): Promise<string> {
    return this.#log.id();
  }

  head(): Promise<Position | null> {
    return this.#log.head();
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    if (!mayBeArchived(stream)) return yield* this.#log.readStream(stream, options);
    const { direction = 'forwards', limit = Infinity } = options;
    const backwards = direction === 'backwards';
    let { from } = options;
    for (let left = limit; left > 0;) {
      const asked = Math.min(CHUNK, left);
      const part = { direction, limit: asked, ...(from !== undefined && { from }) };
      let events = await Array.fromAsync(this.#log.readStream(stream, part));
      // Archives hold whole streams that have ended: where there is one, it alone is complete.
      const archive = this.#archives.holding(stream);
      if (archive !== null) {
        const first = backwards ? 0 : (from ?? 0);
        const last = backwards ? (from ?? Number.MAX_SAFE_INTEGER) : Number.MAX_SAFE_INTEGER;
        events = archive.reader.stream(stream, first, last, backwards, asked);
      }
      yield* events;
      const end = events.at(-1);
      if (end === undefined || events.length < asked || (backwards && end.revision === 0)) return;
      from = end.revision + (backwards ? -1 : 1);
      left -= events.length;
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const { after, direction = 'forwards', limit = Infinity, streamPrefixes } = options;
    if (!mayMeetArchived(streamPrefixes)) return yield* this.#log.readAll(options);
    // Fixed at the start, so that a busy writer does not lead the reader on for ever.
    const end = ((await this.head()) ?? 0) + 1;
    const backwards = direction === 'backwards';
    const above = backwards ? 0 : (after ?? 0);
    const below = backwards ? Math.min(after ?? end, end) : end;
    for await (const events of this.#chunks({ above, below, backwards, limit, streamPrefixes })) yield* events;
  }

  async *subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionMessage> {
    const { streamPrefixes, signal } = options;
    if (!mayMeetArchived(streamPrefixes)) return yield* this.#log.subscribe(options);
    let position = options.after ?? 0;
    let caughtUp = false;
    let behind = true;
    const isStopped = (): boolean => signal?.aborted === true;
    while (behind && !isStopped()) {
      behind = false;
      const last = this.#archives.last();
      if (last > position) {
        const stretch = { above: position, below: last + 1, backwards: false, limit: Infinity, streamPrefixes };
        for await (const events of this.#chunks(stretch)) {
          if (isStopped()) return;
          position = events.at(-1)!.position;
          yield { kind: 'events', events };
          yield { kind: 'checkpoint', position };
        }
        position = last;
        yield { kind: 'checkpoint', position };
      }
      const after = position === 0 ? null : position;
      for await (const message of this.#log.subscribe({ ...options, after })) {
        // What it is about to skip may have gone into an archive since it began.
        behind = this.#archives.last() > position;
        if (behind) break;
        if (message.kind === 'caught-up' && caughtUp) continue;
        caughtUp ||= message.kind === 'caught-up';
        position = Math.max(position, reachedBy(message));
        yield message;
      }
    }
  }

  async close(): Promise<void> {
    await this.#log.close();
    this.#archives.close();
  }

  async *#chunks(stretch: Stretch): AsyncGenerator<readonly RecordedEvent[]> {
    const { backwards, limit, streamPrefixes } = stretch;
    let { above, below } = stretch;
    for (let left = limit; left > 0;) {
      const asked = Math.min(CHUNK, left);
      const live = await this.#liveBetween({ above, below, backwards, limit: asked, streamPrefixes });
      const archived = this.#archives.range({ above, below, backwards, limit: asked }, streamPrefixes);
      const events = inOrder([live, archived], backwards).slice(0, asked);
      const end = events.at(-1);
      if (end === undefined) return;
      yield events;
      if (events.length < asked) return;
      if (backwards) below = end.position;
      else above = end.position;
      left -= events.length;
    }
  }

  async #liveBetween({ above, below, backwards, limit, streamPrefixes }: Stretch): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    const after = backwards ? below : above;
    const prefixes = streamPrefixes === undefined ? {} : { streamPrefixes };
    const direction = backwards ? 'backwards' : 'forwards';
    for await (const event of this.#log.readAll({ after, direction, limit, ...prefixes })) {
      if (event.position <= above || event.position >= below) break;
      events.push(event);
    }
    return events;
  }
}

/** What is appended goes into the log; archives are never written again. */
export class ArchivedLog extends ArchivedLogReader implements EventLog {
  readonly #live: EventLog;

  constructor(log: EventLog, archives: Archives) {
    super(log, archives);
    this.#live = log;
  }

  append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended> {
    return this.#live.append(stream, expected, events);
  }

  truncate(stream: string, before: number): Promise<void> {
    return this.#live.truncate(stream, before);
  }
}

/** Everything up to it is then delivered, or of other streams. */
function reachedBy(message: SubscriptionMessage): Position {
  if (message.kind === 'events') return message.events.at(-1)?.position ?? 0;
  return message.position ?? 0;
}
