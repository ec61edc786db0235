import { type Kysely, sql } from 'kysely';
import type { LogReader, Position, RecordedEvent } from '../event-log/event-log.ts';
import { LostLead, type Parked, schemaOfBuild } from './build.ts';
import { moveCheckpoint, park, readBuild, readParked, unpark } from './builds.ts';
import type { Change } from './change.ts';
import { ChangeBuffer } from './changes.ts';
import type { Courtesy } from './courtesy.ts';
import { Partitions } from './partitions.ts';
import type { AnyProjection, Folding } from './projection.ts';
import { Statistics } from './statistics.ts';

/** Events mapped between two turns of the event loop. */
const CHUNK = 50;
/** Events of a parked stream in one transaction, and most events a switch or comparison takes in to be level. */
const RETRIED_AT_ONCE = 500;
const MOST_BEHIND = 5_000;
/** SQLSTATE classes that blame the event's data: data exception, constraint, program limit. */
const EVENTS_FAULT = /^(22|23|54)/;

/**
 * Writes one build: data and position in one transaction, the position by compare-and-set, so a crash repeats nothing
 * and loses nothing (P6). What cannot be applied parks its stream.
 */
export class BuildWriter {
  readonly #log: LogReader;
  readonly #projection: AnyProjection;
  readonly #build: number;
  readonly #schema: string;
  readonly #courtesy: Courtesy;
  #mapping: Mapping;
  readonly #partitions: Partitions;
  readonly #statistics: Statistics;
  #position: Position | null;
  #parked: Set<string>;
  /** Until when the time this build took is told. */
  #reportedMs = performance.now();

  private constructor(
    log: LogReader,
    projection: AnyProjection,
    build: number,
    courtesy: Courtesy,
    mapping: Mapping,
    partitions: Partitions,
    position: Position | null,
    parked: readonly Parked[],
  ) {
    this.#log = log;
    this.#projection = projection;
    this.#build = build;
    this.#schema = schemaOfBuild({ projection: projection.name, build });
    this.#courtesy = courtesy;
    this.#mapping = mapping;
    this.#partitions = partitions;
    this.#statistics = new Statistics(projection, this.#schema);
    this.#position = position;
    this.#parked = new Set(parked.map(({ stream }) => stream));
  }

  /** From where the build was left. @throws LostLead where it is gone */
  static async open(
    db: Kysely<unknown>,
    log: LogReader,
    projection: AnyProjection,
    build: number,
    courtesy: Courtesy,
  ): Promise<BuildWriter> {
    const found = await readBuild(db, build);
    if (found === null) throw new LostLead(`build ${build} is gone`);
    const mapping = await mappingOf(db, projection, build);
    const partitions = await Partitions.of(db, projection, schemaOfBuild(found));
    const parked = await readParked(db, build);
    return new BuildWriter(log, projection, build, courtesy, mapping, partitions, found.position, parked);
  }

  get position(): Position | null {
    return this.#position;
  }

  /** Applies what concerns the projection; the position moves with it. @throws LostLead */
  async apply(db: Kysely<unknown>, events: readonly RecordedEvent[], to: Position): Promise<void> {
    const position = this.#position ?? -1;
    const relevant = events.filter((event) => event.position > position && this.#concerns(event));
    if (relevant.length === 0) return;
    const { buffer, parked } = await this.#map(relevant);
    try {
      await this.#commit(db, to, relevant.length, async (trx) => {
        for (const one of parked) await park(trx, this.#build, one);
        await this.#write(trx, buffer);
      });
    } catch (error) {
      if (!this.#mapping.parks || !blamesEvent(error)) throw error;
      await this.#applySingly(db, relevant, to);
      return;
    }
    for (const { stream } of parked) this.#parked.add(stream);
  }

  /** Moves the position over events that concern others. @throws LostLead */
  async store(db: Kysely<unknown>, position: Position): Promise<void> {
    if (this.#position !== null && position <= this.#position) return;
    await this.#commit(db, position, 0, () => Promise.resolve());
  }

  /**
   * Within a transaction that holds the position still: takes in what is missing up to it. False where that is much;
   * what was written is then to be rolled back. `adopt` the position once the transaction has ended well.
   */
  async levelWith(trx: Kysely<unknown>, position: Position | null): Promise<boolean> {
    if (position === null || (this.#position !== null && this.#position >= position)) return true;
    const { streamPrefixes } = this.#projection;
    const events: RecordedEvent[] = [];
    for await (const event of this.#log.readAll({
      ...(this.#position === null ? {} : { after: this.#position }),
      ...(streamPrefixes === null ? {} : { streamPrefixes }),
    })) {
      if (event.position > position) break;
      if (events.length === MOST_BEHIND) return false;
      events.push(event);
    }
    const { buffer, parked } = await this.#map(events.filter((event) => this.#concerns(event)));
    const move = { build: this.#build, from: this.#position, to: position, events: events.length, ms: 0 };
    await moveCheckpoint(trx, move);
    for (const one of parked) await park(trx, this.#build, one);
    await this.#write(trx, buffer);
    return true;
  }

  /** What another connection or transaction has made of the build counts from here on. */
  async adopt(db: Kysely<unknown>): Promise<void> {
    const found = await readBuild(db, this.#build);
    if (found === null) throw new LostLead(`build ${this.#build} is gone`);
    this.#position = found.position;
    this.#mapping = await mappingOf(db, this.#projection, this.#build);
    this.#parked = new Set((await readParked(db, this.#build)).map(({ stream }) => stream));
  }

  /** Tries parked streams again that somebody asked to: from where each stopped up to where the build is. */
  async retryParked(db: Kysely<unknown>): Promise<void> {
    for (const parked of await readParked(db, this.#build)) {
      if (!parked.retrying) continue;
      for (let from: number | null = parked.revision; from !== null;) from = await this.#retry(db, parked.stream, from);
    }
  }

  /** The revision to go on from; null: it is level, or parked anew. */
  async #retry(db: Kysely<unknown>, stream: string, from: number): Promise<number | null> {
    const position = this.#position;
    if (position === null) return null;
    const events: RecordedEvent[] = [];
    for await (const event of this.#log.readStream(stream, { from, limit: RETRIED_AT_ONCE }))
      if (event.position <= position) events.push(event);
    const next = events.length === RETRIED_AT_ONCE ? events.at(-1) : undefined;
    let failed = false;
    await this.#commit(db, position, events.length, async (trx) => {
      failed = (await this.#writeSingly(trx, events)).size > 0;
      if (failed) return;
      if (next === undefined) await unpark(trx, this.#build, stream);
      else
        await park(trx, this.#build, { ...placeOf(next), revision: next.revision + 1, reason: 'being retried' }, true);
    });
    if (failed) return null;
    if (next !== undefined) return next.revision + 1;
    this.#parked.delete(stream);
    return null;
  }

  /** Events to changes, a few at a time, so that the calls being served meanwhile get their turn. */
  async #map(events: readonly RecordedEvent[]): Promise<{ buffer: ChangeBuffer; parked: readonly Parked[] }> {
    const buffer = new ChangeBuffer(this.#projection, this.#schema);
    const parked = new Map<string, Parked>();
    for (const [index, event] of events.entries()) {
      if (index % CHUNK === CHUNK - 1) await this.#courtesy.turn();
      if (parked.has(event.stream)) continue;
      try {
        this.#push(buffer, this.#mapping.apply(event));
      } catch (error) {
        if (!this.#mapping.parks) throw error;
        parked.set(event.stream, asParked(event, error));
      }
    }
    buffer.push(this.#mapping.flush());
    return { buffer, parked: [...parked.values()] };
  }

  /** The database refused something of a batch: event by event, to park only the stream it came from. */
  async #applySingly(db: Kysely<unknown>, events: readonly RecordedEvent[], to: Position): Promise<void> {
    let parked: ReadonlySet<string> = new Set();
    await this.#commit(db, to, events.length, async (trx) => {
      parked = await this.#writeSingly(trx, events);
    });
    for (const stream of parked) this.#parked.add(stream);
  }

  /** Answers the streams that were parked on the way. */
  async #writeSingly(trx: Kysely<unknown>, events: readonly RecordedEvent[]): Promise<ReadonlySet<string>> {
    const parked = new Set<string>();
    for (const event of events) {
      if (parked.has(event.stream)) continue;
      await sql`savepoint one_event`.execute(trx);
      try {
        const buffer = new ChangeBuffer(this.#projection, this.#schema);
        this.#push(buffer, applyOrBlame(this.#mapping, event));
        await this.#write(trx, buffer);
      } catch (error) {
        if (!blamesEvent(error) && !(error instanceof NotApplicable)) throw error;
        await sql`rollback to savepoint one_event`.execute(trx);
        await park(trx, this.#build, asParked(event, error));
        parked.add(event.stream);
      }
      await sql`release savepoint one_event`.execute(trx);
    }
    return parked;
  }

  #push(buffer: ChangeBuffer, changes: readonly Change[]): void {
    this.#partitions.note(changes);
    buffer.push(changes);
  }

  async #write(trx: Kysely<unknown>, buffer: ChangeBuffer): Promise<void> {
    await this.#partitions.make(trx);
    await buffer.write(trx);
  }

  async #commit(
    db: Kysely<unknown>,
    to: Position,
    events: number,
    write: (trx: Kysely<unknown>) => Promise<void>,
  ): Promise<void> {
    const nowMs = performance.now();
    const move = { build: this.#build, from: this.#position, to, events, ms: nowMs - this.#reportedMs };
    await db.transaction().execute(async (trx) => {
      await moveCheckpoint(trx, move);
      await write(trx);
    });
    this.#partitions.settle();
    this.#position = to;
    this.#reportedMs = nowMs;
    await this.#statistics.grew(db, events);
  }

  #concerns({ stream }: RecordedEvent): boolean {
    const { streamPrefixes } = this.#projection;
    if (streamPrefixes !== null && !streamPrefixes.some((prefix) => stream.startsWith(prefix))) return false;
    return !this.#parked.has(stream);
  }
}

/** How events become changes, and whether one that cannot parks its stream. */
interface Mapping extends Folding {
  readonly parks: boolean;
}

async function mappingOf(db: Kysely<unknown>, projection: AnyProjection, build: number): Promise<Mapping> {
  if (!('resume' in projection)) {
    return { parks: true, apply: (event) => projection.apply(event), flush: () => [] };
  }
  const schema = schemaOfBuild({ projection: projection.name, build });
  const { apply, flush } = await projection.resume(db.withSchema(schema));
  return { parks: false, apply, flush };
}

class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

function applyOrBlame(mapping: Mapping, event: RecordedEvent): readonly Change[] {
  try {
    return mapping.apply(event);
  } catch (error) {
    throw new NotApplicable((error as Error).message, { cause: error });
  }
}

const blamesEvent = (error: unknown): boolean => EVENTS_FAULT.test((error as { code?: string }).code ?? '');

const placeOf = ({ stream, revision, position }: RecordedEvent) => ({ stream, revision, position });

const asParked = (event: RecordedEvent, error: unknown): Parked => ({
  ...placeOf(event),
  reason: `${event.type}: ${(error as Error).message}`.replaceAll('\0', '').slice(0, 500),
});
