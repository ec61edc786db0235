import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, Position, RecordedEvent } from '../event-log/event-log.ts';
import type { Freshness } from '../gate/freshness.ts';
import { FREE, type DeclaredOperation } from '../operation/operation.ts';
import { isProblem, type Problem, tooManyRequests, unauthorized, unavailable } from '../problem/problem.ts';
import { TOKEN_PREFIX } from '../tokens/events.ts';
import { loadToken } from '../tokens/load-token.ts';
import { statusAt } from '../tokens/token.ts';
import type { StandingToken } from '../tokens/view-token.ts';
import type { ChangeFeed } from './change-feed.ts';
import type { Exchange } from './exchange.ts';
import { type NamedResource, type Resources, uriOf } from './resources.ts';
import { SESSION_PREFIX, type WatchEvent, watching } from './watching.ts';

/** How an open stream is spoken to, in the words of its protocol. */
export interface Voice {
  toolsChanged(): void;
  resourcesChanged(): void;
  resourceUpdated(uri: string): void;
  end(): void;
  /** Bytes written and not yet taken by the client. */
  waitingBytes(): number;
}

export interface StreamRequest {
  readonly exchange: Exchange;
  readonly tokenId: string;
  /** Whose stream it is, where there is a session. */
  readonly session: string | null;
  readonly watched: ReadonlySet<string>;
  /** Whether it wants to hear that there are more resources than before. */
  readonly hearsOfLists: boolean;
}

interface OpenStream extends StreamRequest {
  readonly voice: Voice;
  watched: ReadonlySet<string>;
  /** Updates on their way to it, by URI: of two, one is told. */
  readonly telling: Set<string>;
  /** What was made since it was last told that lists have changed. */
  made: Made[];
}

interface Made {
  readonly resource: NamedResource;
  readonly position: Position;
}

interface TokenStreams {
  readonly streams: Set<OpenStream>;
  /** As the log had it when last looked at; null: not looked at yet. */
  standing: StandingToken | null;
}

interface Options {
  readonly log: EventLog;
  readonly freshness: Freshness;
  readonly resources: Resources;
  readonly feed: ChangeFeed;
  readonly clock: () => number;
  readonly onFault: (error: Error) => void;
}

const MOST_STREAMS_A_TOKEN = 32;
const MOST_STREAMS = 4_096;
/** A client that takes nothing any more is not waited for. */
const MOST_WAITING_BYTES = 64 * 1024;
const SWEEP_MS = 1_000;
const FRESH_WITHIN_MS = 2_000;
const RETRY_SECONDS = 2;
/** What is made within it is one change of a list. */
const LIST_PAUSE_MS = 500;

/**
 * The streams that clients hold open in this process. What a token may changes, and its streams are told; it dies, and
 * they end (P2); the feed that would say so is down, and all end.
 */
export class OpenStreams {
  readonly #options: Options;
  readonly #byToken = new Map<string, TokenStreams>();
  readonly #sweep: NodeJS.Timeout;
  readonly #unlisten: () => void;
  #count = 0;

  constructor(options: Options) {
    this.#options = options;
    this.#unlisten = options.feed.listen({ event: (event) => this.#hear(event), down: () => this.#endAll() });
    this.#sweep = setInterval(() => this.#endThoseOfTime(), SWEEP_MS);
    this.#sweep.unref();
  }

  /**
   * Takes a stream in, whose opening the gate has let pass. From here on it hears of its token; what happened between
   * the gate's answer and now is asked of the log. Returns how to let go of it, or why it is not taken.
   */
  async open(request: StreamRequest, voice: Voice): Promise<(() => void) | Problem> {
    if (!this.#options.feed.isLive()) return unavailable('Changes of tokens are not heard of for now.', RETRY_SECONDS);
    const ofToken = this.#byToken.get(request.tokenId);
    if (this.#count >= MOST_STREAMS) return unavailable('Too many streams are open here.', RETRY_SECONDS);
    if ((ofToken?.streams.size ?? 0) >= MOST_STREAMS_A_TOKEN) {
      return tooManyRequests(`A token may hold ${MOST_STREAMS_A_TOKEN} streams open.`, RETRY_SECONDS);
    }
    const stream: OpenStream = { ...request, voice, telling: new Set(), made: [] };
    const entry = ofToken ?? { streams: new Set(), standing: null };
    if (ofToken === undefined) this.#byToken.set(request.tokenId, entry);
    entry.streams.add(stream);
    this.#count++;
    await this.#look(request.tokenId, entry);
    return entry.streams.has(stream) ? () => this.#remove(stream) : unauthorized();
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#unlisten();
    this.#endAll();
  }

  #hear(event: RecordedEvent): void {
    if (event.stream.startsWith(TOKEN_PREFIX)) {
      const id = event.stream.slice(TOKEN_PREFIX.length);
      const entry = this.#byToken.get(id);
      if (entry !== undefined) void this.#tokenChanged(id, entry, event.type);
    } else if (event.stream.startsWith(SESSION_PREFIX)) {
      this.#watchMoreOrLess(event.stream.slice(SESSION_PREFIX.length), event as RecordedEvent & WatchEvent);
    } else {
      const changed = this.#options.resources.changedBy(event.stream);
      if (changed === null) return;
      this.#changed(changed, event);
      if (event.revision === 0) this.#made({ resource: changed, position: event.position });
    }
  }

  async #tokenChanged(id: string, entry: TokenStreams, type: string): Promise<void> {
    await this.#look(id, entry);
    if (type !== 'TokenScoped') return;
    // Whether anything of it shows to this client is for its next list to tell.
    for (const { voice } of entry.streams) {
      voice.toolsChanged();
      voice.resourcesChanged();
    }
  }

  /** Looks at a token as the log has it. What cannot be looked at is taken for dead (P4). */
  async #look(id: string, entry: TokenStreams): Promise<void> {
    const { log, onFault } = this.#options;
    try {
      entry.standing = await loadToken(log, id);
    } catch (error) {
      onFault(error as Error);
      entry.standing = null;
    }
    if (!this.#lives(entry.standing)) this.#endEach(entry.streams);
  }

  #lives(standing: StandingToken | null): boolean {
    return standing !== null && statusAt(standing.token, standing.activated, this.#options.clock()) === 'active';
  }

  /** An expiry or the end of an overlap is no event: time passes. */
  #endThoseOfTime(): void {
    for (const { streams, standing } of this.#byToken.values()) {
      if (standing !== null && !this.#lives(standing)) this.#endEach(streams);
    }
  }

  #watchMoreOrLess(session: string, event: WatchEvent): void {
    for (const stream of this.#all()) {
      if (stream.session === session) stream.watched = watching.evolve(stream.watched, event);
    }
  }

  #changed(changed: NamedResource, event: RecordedEvent): void {
    const uri = uriOf(changed);
    for (const stream of this.#all()) {
      if (stream.watched.has(uri) && !stream.telling.has(uri)) void this.#tell(stream, changed, event);
    }
  }

  /**
   * Tells a stream of an update once it can be read, and only what its token may still read: the gate is asked, and
   * records it.
   */
  async #tell(stream: OpenStream, changed: NamedResource, { position }: RecordedEvent): Promise<void> {
    const uri = uriOf(changed);
    stream.telling.add(uri);
    await this.#untilReadable(changed, position);
    // What changes from here on is told again.
    stream.telling.delete(uri);
    if (await this.#mayHearOf(stream, changed)) stream.voice.resourceUpdated(uri);
  }

  #made(made: Made): void {
    for (const stream of this.#all()) {
      if (!stream.hearsOfLists) continue;
      stream.made.push(made);
      if (stream.made.length === 1) void this.#tellOfLists(stream);
    }
  }

  /** Told when it may read one of what was made: that something was, out of its reach, is nothing it may know (P8). */
  async #tellOfLists(stream: OpenStream): Promise<void> {
    await sleep(LIST_PAUSE_MS, undefined, { ref: false });
    const { made } = stream;
    stream.made = [];
    for (const { resource, position } of made) {
      await this.#untilReadable(resource, position);
      if (!this.#isOpen(stream)) return;
      if (await this.#mayHearOf(stream, resource)) return stream.voice.resourcesChanged();
    }
  }

  async #untilReadable({ kind }: NamedResource, position: Position): Promise<void> {
    const { readsFrom } = kind.read.spec;
    if (readsFrom === undefined) return;
    await this.#options.freshness.waitFor(readsFrom, position, FRESH_WITHIN_MS).catch((error: unknown) => {
      this.#options.onFault(error as Error);
    });
  }

  /** What the gate says of it. Who may hear of nothing any more, or takes nothing, is let go of. */
  async #mayHearOf(stream: OpenStream, { kind, id }: NamedResource): Promise<boolean> {
    const { result } = await stream.exchange.ask(tellingOf(kind.read), { ok: true, value: { id } });
    if (isProblem(result)) {
      if (result.status === 401) this.#end(stream);
      return false;
    }
    if (stream.voice.waitingBytes() <= MOST_WAITING_BYTES) return true;
    this.#end(stream);
    return false;
  }

  #isOpen(stream: OpenStream): boolean {
    return this.#byToken.get(stream.tokenId)?.streams.has(stream) === true;
  }

  *#all(): Generator<OpenStream> {
    for (const { streams } of this.#byToken.values()) yield* streams;
  }

  #endAll(): void {
    for (const { streams } of this.#byToken.values()) this.#endEach(streams);
  }

  #endEach(streams: Iterable<OpenStream>): void {
    for (const stream of streams) this.#end(stream);
  }

  #end(stream: OpenStream): void {
    this.#remove(stream);
    stream.voice.end();
  }

  #remove(stream: OpenStream): void {
    const entry = this.#byToken.get(stream.tokenId);
    if (entry === undefined || !entry.streams.delete(stream)) return;
    this.#count--;
    if (entry.streams.size === 0) this.#byToken.delete(stream.tokenId);
  }
}

/** Being told of a change: the read's own scope and restriction, at no cost, since nothing of the thing is told. */
const tellings = new WeakMap<DeclaredOperation, DeclaredOperation>();

function tellingOf(read: DeclaredOperation): DeclaredOperation {
  let telling = tellings.get(read);
  if (telling === undefined) {
    const { title } = read.spec;
    telling = {
      ...read,
      spec: { ...read.spec, name: 'mcp_resource_updated', title: `Hear of a change: ${title}`, cost: FREE },
    };
    tellings.set(read, telling);
  }
  return telling;
}
