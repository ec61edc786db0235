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
import { type Found, personalValuesOf } from './personal-data.ts';
import type { PersonKeys } from './person-keys.ts';
import { openEvent, sealedIn, sealEvent } from './sealed-event.ts';

/** Reads a log whose personal data is sealed under keys of its people. Events from before there was this pass as they are. */
export class SealedLogReader implements LogReader {
  readonly stored: LogReader;
  readonly #keys: PersonKeys;

  constructor(stored: LogReader, keys: PersonKeys) {
    this.stored = stored;
    this.#keys = keys;
  }

  get filteredCheckpoints(): LogReader['filteredCheckpoints'] {
    return this.stored.filteredCheckpoints;
  }

  id(): Promise<string> {
    return this.stored.id();
  }

  async *readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent> {
    for await (const event of this.stored.readStream(stream, options)) {
      if (this.#isUnasked(event)) await this.#findKeysOf([event]);
      yield this.#open(event);
    }
  }

  async *readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent> {
    await this.#keys.refresh();
    for await (const event of this.stored.readAll(options)) {
      if (this.#isUnasked(event)) await this.#findKeysOf([event]);
      yield this.#open(event);
    }
  }

  async *subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionMessage> {
    await this.#keys.refresh();
    for await (const message of this.stored.subscribe(options)) {
      if (message.kind !== 'events') {
        yield message;
        continue;
      }
      if (message.events.some((event) => this.#isUnasked(event))) await this.#findKeysOf(message.events);
      yield { kind: 'events', events: message.events.map((event) => this.#open(event)) };
    }
  }

  head(): Promise<Position | null> {
    return this.stored.head();
  }

  close(): Promise<void> {
    return this.stored.close();
  }

  #open(event: RecordedEvent): RecordedEvent {
    return openEvent(event, (person) => this.#keys.known(person) ?? null);
  }

  #isUnasked(event: RecordedEvent): boolean {
    return sealedIn(event).some(({ person }) => !this.#keys.isAsked(person));
  }

  #findKeysOf(events: readonly RecordedEvent[]): Promise<void> {
    return this.#keys.find(new Set(events.flatMap((event) => sealedIn(event).map(({ person }) => person))));
  }
}

/** What is appended is sealed, what is read is opened. What hashes events reads `stored`. */
export class SealedLog extends SealedLogReader implements EventLog {
  readonly #stored: EventLog;
  readonly #keys: PersonKeys;

  constructor(stored: EventLog, keys: PersonKeys) {
    super(stored, keys);
    this.#stored = stored;
    this.#keys = keys;
  }

  /** Where the keys are known, as they are for whoever has called before, nothing is waited for. */
  append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended> {
    const found = events.map((event) => personalValuesOf(stream, event));
    const unknown = new Set<string>();
    for (const values of found)
      for (const { person } of values) if (this.#keys.known(person) === undefined) unknown.add(person);
    if (unknown.size === 0) return this.#append(stream, expected, events, found);
    return this.#keys.obtain(unknown).then(() => this.#append(stream, expected, events, found));
  }

  truncate(stream: string, before: number): Promise<void> {
    return this.#stored.truncate(stream, before);
  }

  #append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
    found: readonly (readonly Found[])[],
  ): Promise<Appended> {
    const sealed = events.map((event, index) =>
      sealEvent(event, found[index]!, (person) => this.#keys.known(person) ?? null),
    );
    return this.#stored.append(stream, expected, sealed);
  }
}
