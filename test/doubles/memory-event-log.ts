import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
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
  type SubscribeOptions,
  type SubscriptionMessage,
  WrongExpectedRevision,
} from '../../libs/event-log/event-log.ts';

/** An event log in an array, for unit tests of what is built on a log. Passes the contract; forgets all at the end. */
export class MemoryEventLog implements EventLog {
  readonly filteredCheckpoints = 'prompt';
  readonly #events: RecordedEvent[] = [];
  readonly #streams = new Map<string, RecordedEvent[]>();
  /** Of a stream, the first revision that is still shown. */
  readonly #truncated = new Map<string, number>();
  readonly #name = randomUUID();
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #closed = false;

  id(): Promise<string> {
    return Promise.resolve(this.#name);
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended> {
    await Promise.resolve();
    this.#assertOpen();
    const bytes = events.reduce((sum, event) => sum + Buffer.byteLength(JSON.stringify(event)), 0);
    if (bytes > MAX_APPEND_BYTES) throw new AppendTooLarge(`${bytes} bytes in one append to ${stream}`);
    const before = this.#streams.get(stream) ?? [];
    const head = before.length - 1;
    const at = expected === 'no-stream' ? -1 : expected;
    const earlier = at === head ? undefined : repeated(before, at, events);
    if (earlier !== undefined) return earlier;
    if (at !== 'any' && at !== head) {
      throw new WrongExpectedRevision(stream, expected, head === -1 ? 'no-stream' : head);
    }
    if (events.length === 0) return { revision: head, position: before.at(-1)?.position ?? 0 };
    this.#streams.set(stream, before);
    for (const event of events) {
      const stored: RecordedEvent = {
        ...structuredClone(event),
        stream,
        revision: before.length,
        position: this.#events.length + 1,
        recordedAt: Date.now(),
      };
      before.push(stored);
      this.#events.push(stored);
    }
    this.#changes.emit('change');
    return { revision: before.length - 1, position: this.#events.length };
  }

  async truncate(stream: string, before: number): Promise<void> {
    await Promise.resolve();
    this.#assertOpen();
    this.#truncated.set(stream, Math.max(before, this.#truncated.get(stream) ?? 0));
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    await Promise.resolve();
    this.#assertOpen();
    const { from, direction = 'forwards', limit = Infinity } = options;
    const found = (this.#streams.get(stream) ?? []).filter(
      (event) =>
        this.#isKept(event) &&
        (from === undefined || (direction === 'forwards' ? event.revision >= from : event.revision <= from)),
    );
    yield* (direction === 'forwards' ? found : found.reverse()).slice(0, limit);
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    await Promise.resolve();
    this.#assertOpen();
    const { after, direction = 'forwards', limit = Infinity, streamPrefixes } = options;
    const found = this.#events.filter(
      (event) =>
        this.#isKept(event) &&
        matches(event.stream, streamPrefixes) &&
        (after === undefined || (direction === 'forwards' ? event.position > after : event.position < after)),
    );
    yield* (direction === 'forwards' ? found : found.reverse()).slice(0, limit);
  }

  async *subscribe({ after, streamPrefixes, signal }: SubscribeOptions): AsyncIterable<SubscriptionMessage> {
    let position = after ?? 0;
    let caughtUp = false;
    while (!this.#closed && signal?.aborted !== true) {
      const head = this.#events.length;
      if (position < head) {
        const events = this.#events
          .slice(position, head)
          .filter((event) => this.#isKept(event) && matches(event.stream, streamPrefixes));
        position = head;
        if (events.length > 0) yield { kind: 'events', events };
        yield { kind: 'checkpoint', position };
      } else if (!caughtUp) {
        caughtUp = true;
        yield { kind: 'caught-up', position: position === 0 ? null : position };
      } else {
        await once(this.#changes, 'change', { ...(signal && { signal }) }).catch(() => undefined);
      }
    }
  }

  async head(): Promise<Position | null> {
    await Promise.resolve();
    this.#assertOpen();
    return this.#events.at(-1)?.position ?? null;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#changes.emit('change');
    return Promise.resolve();
  }

  #isKept({ stream, revision }: RecordedEvent): boolean {
    return revision >= (this.#truncated.get(stream) ?? 0);
  }

  #assertOpen(): void {
    if (this.#closed) throw new LogUnavailable('the log is closed');
  }
}

/** What the same append answered the first time, if it was one. */
function repeated(
  before: readonly RecordedEvent[],
  at: number | 'any',
  events: readonly NewEvent[],
): Appended | undefined {
  const first = events[0];
  if (first === undefined) return undefined;
  const start = at === 'any' ? before.findIndex(({ id }) => id === first.id) : at + 1;
  if (start < 0 || !events.every(({ id }, index) => before[start + index]?.id === id)) return undefined;
  const last = before[start + events.length - 1];
  return last && { revision: last.revision, position: last.position };
}

function matches(stream: string, prefixes: readonly string[] | undefined): boolean {
  return prefixes?.some((prefix) => stream.startsWith(prefix)) ?? !stream.startsWith('$');
}
