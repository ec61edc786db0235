import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';

export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface StoredEvent extends ProposedEvent {
  readonly stream: string;
  readonly revision: number;
  /** Commit and prepare position alike, as for every append made without an explicit transaction. */
  readonly position: number;
  readonly createdMs: number;
}

export type Expected = number | 'any' | 'no-stream' | 'stream-exists';

export type AppendResult =
  | { readonly kind: 'success'; readonly revision: number | null; readonly position: number | null }
  | { readonly kind: 'wrong-expected-version'; readonly current: number | null }
  | { readonly kind: 'stream-deleted' }
  | { readonly kind: 'too-large'; readonly maxAppendSize: number };

/** The server's mark of a deleted stream, its largest revision. */
const TOMBSTONE_REVISION = 2 ** 63;

interface Stream {
  readonly events: StoredEvent[];
  state: 'live' | 'soft-deleted' | 'tombstoned';
  /** First revision a read still gives; what a soft delete cut off stays in $all. */
  truncateBefore: number;
}

/** What an EventStoreDB server keeps, with its rules of expected revision and idempotency (DESIGN §7). */
export class EventStore {
  readonly all: StoredEvent[] = [];
  readonly changes = new EventEmitter().setMaxListeners(0);
  /** The server's setting `MaxAppendSize`, bytes. */
  maxAppendSize = 1024 * 1024;
  readonly #streams = new Map<string, Stream>();
  #nextPosition = 1000;

  append(name: string, expected: Expected, events: readonly ProposedEvent[]): AppendResult {
    const stream = this.#streams.get(name) ?? { events: [], state: 'live', truncateBefore: 0 };
    if (stream.state === 'tombstoned') return { kind: 'stream-deleted' };
    const bytes = events.reduce((sum, { type, data, metadata }) => sum + sizeOnDisk(type, data, metadata), 0);
    if (bytes > this.maxAppendSize) return { kind: 'too-large', maxAppendSize: this.maxAppendSize };
    const head = stream.events.length - 1;
    const current = stream.state === 'soft-deleted' || head < 0 ? null : head;
    if (!atHead(expected, head, current)) return repeated(stream.events, expected, events) ?? wrong(current);
    // "any" knows an append again by its ids, for as long as the server's index remembers them.
    const earlier = expected === 'any' ? repeated(stream.events, expected, events) : undefined;
    if (earlier !== undefined) return earlier;
    if (events.length === 0) return { kind: 'success', revision: current, position: null };
    this.#streams.set(name, stream);
    stream.state = 'live';
    for (const event of events) this.#store(name, stream, event);
    if (name.startsWith('$$')) this.#heedMetadata(name.slice(2), events.at(-1)!);
    this.changes.emit('change');
    return { kind: 'success', revision: stream.events.length - 1, position: this.all.at(-1)?.position ?? null };
  }

  /** The readable events of a stream, oldest first. */
  read(name: string): readonly StoredEvent[] | 'not-found' | 'deleted' {
    const stream = this.#streams.get(name);
    if (stream === undefined || stream.state === 'soft-deleted') return 'not-found';
    return stream.state === 'tombstoned' ? 'deleted' : stream.events.slice(stream.truncateBefore);
  }

  /**
   * A soft delete lets the stream begin again, its revisions going on; a tombstone is for ever. Either is an event of
   * the server's own in $all: in the stream's metadata stream, or under the stream's very name.
   */
  delete(name: string, kind: 'soft-deleted' | 'tombstoned'): number | null {
    const stream = this.#streamOf(name);
    stream.state = kind;
    stream.truncateBefore = stream.events.length;
    const position = this.#nextPosition;
    const own = { id: randomUUID(), metadata: new Uint8Array() };
    if (kind === 'tombstoned') {
      const event = { ...own, type: '$streamDeleted', contentType: 'application/octet-stream', data: new Uint8Array() };
      this.#place(name, TOMBSTONE_REVISION, event);
    } else {
      const data = Buffer.from(`{"$tb":${TOMBSTONE_REVISION}}`);
      this.#store(`$$${name}`, this.#streamOf(`$$${name}`), {
        ...own,
        type: '$metadata',
        contentType: 'application/json',
        data,
      });
    }
    this.changes.emit('change');
    return position;
  }

  /** `$tb` cuts a stream off for reads of it; what is cut off stays in $all until the server is scavenged. */
  #heedMetadata(name: string, { data }: ProposedEvent): void {
    const { $tb: before = 0 } = JSON.parse(Buffer.from(data).toString()) as { readonly $tb?: number };
    this.#streamOf(name).truncateBefore = before;
  }

  #streamOf(name: string): Stream {
    const stream = this.#streams.get(name) ?? { events: [], state: 'live', truncateBefore: 0 };
    this.#streams.set(name, stream);
    return stream;
  }

  #store(name: string, stream: Stream, event: ProposedEvent): void {
    stream.events.push(this.#place(name, stream.events.length, event));
  }

  #place(name: string, revision: number, event: ProposedEvent): StoredEvent {
    const stored = { ...event, stream: name, revision, position: this.#nextPosition, createdMs: Date.now() };
    // Positions are byte offsets: they grow with gaps.
    this.#nextPosition += 100 + sizeOnDisk(event.type, event.data, event.metadata);
    this.all.push(stored);
    return stored;
  }
}

function atHead(expected: Expected, head: number, current: number | null): boolean {
  if (expected === 'any') return true;
  if (expected === 'no-stream') return current === null;
  return expected === 'stream-exists' ? current !== null : expected === head;
}

/** The first result, when exactly these ids already stand after the expected revision. */
function repeated(
  stored: readonly StoredEvent[],
  expected: Expected,
  events: readonly ProposedEvent[],
): AppendResult | undefined {
  const first = events[0];
  if (first === undefined) return undefined;
  const searched = expected === 'any' || expected === 'stream-exists';
  const start = searched ? stored.findIndex(({ id }) => id === first.id) : expected === 'no-stream' ? 0 : expected + 1;
  if (start < 0 || !events.every(({ id }, index) => stored[start + index]?.id === id)) return undefined;
  const last = stored[start + events.length - 1];
  return last && { kind: 'success', revision: last.revision, position: last.position };
}

function wrong(current: number | null): AppendResult {
  return { kind: 'wrong-expected-version', current };
}

function sizeOnDisk(type: string, data: Uint8Array, metadata: Uint8Array): number {
  return type.length * 2 + data.length + metadata.length;
}
