import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decideAndAppend, load } from '../event-log/decide-and-append.ts';
import type { EventLog, LogReader } from '../event-log/event-log.ts';
import { ownMetadata } from '../event-log/own-metadata.ts';
import { newId } from '../ids/new-id.ts';
import { isProblem } from '../problem/problem.ts';
import { Courtesy } from '../projection/courtesy.ts';
import { JOURNALS_STREAM, type JournalOpened, type UsesTallied } from '../proof/tally.ts';
import type { CheckpointPublisher } from '../transparency/publisher.ts';
import { DENIALS_PREFIX, JOURNAL_PREFIX } from '../usage/use.ts';
import { type ArchiveContents, writeArchive } from './archive-file.ts';
import { dayOf } from './archived-streams.ts';
import { archiveName } from './archives.ts';
import { type Retention, type RetentionCommand, retentionDecider } from './decide.ts';
import { RETENTION_STREAM, type UsageArchived } from './events.ts';

export interface RetentionOptions {
  readonly log: EventLog;
  readonly publisher: Pick<CheckpointPublisher, 'publish'>;
  readonly folder: string;
  /** Days that a day's usage stays in the log after it has passed; null: for ever. */
  readonly maxAgeDays: number | null;
  /** Unix ms. */
  readonly clock: () => number;
  readonly onFault: (error: Error) => void;
  /** Streams in one archive at most; default 500. */
  readonly streamsInOne?: number;
}

/** As it goes over the wire. */
export interface RetentionStatus {
  /** Null: usage is kept in the log for ever. */
  readonly max_age_days: number | null;
  readonly folder: string;
  readonly running: boolean;
  /** Days before this one are due. */
  readonly due_before: string | null;
  readonly holds: Retention['holds'];
  readonly archives: readonly ArchiveStatus[];
  /** Why this process's last run failed; null: it did not. */
  readonly fault: { readonly at: string; readonly reason: string } | null;
}

export interface ArchiveStatus extends Omit<UsageArchived['data'], 'streams'> {
  readonly streams: number;
  /** Whether the log has let go of it. */
  readonly scavenged: boolean;
}

export type RetentionOutcome = 'done' | 'on-hold' | 'off' | 'failed';

const DAY_MS = 24 * 60 * 60_000;
const LOOK_EVERY_MS = 60 * 60_000;
/** Begins the names of files that are not whole. */
const PARTIAL = '.partial-';

/**
 * Moves usage that has grown old out of the log: into an archive, which is read again and signed for, and only then
 * does the log let go of it. Each step is in the log before the next begins, so a run that was cut off is gone on with
 * by the next, in whichever process. Where two of them write an archive of the same streams, one is recorded; the other
 * stays, holds the same, and may be deleted while no server runs.
 */
export class RetentionRunner {
  readonly #options: RetentionOptions;
  readonly #stopping = new AbortController();
  #running: Promise<RetentionOutcome> | null = null;
  #loop: Promise<void> = Promise.resolve();
  #fault: RetentionStatus['fault'] = null;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): this {
    if (this.#options.maxAgeDays !== null) this.#loop = this.#look();
    return this;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#running;
  }

  /** @throws LogUnavailable */
  async status(): Promise<RetentionStatus> {
    const { state } = await load(this.#options.log, RETENTION_STREAM, retentionDecider);
    const { maxAgeDays, folder } = this.#options;
    return {
      max_age_days: maxAgeDays,
      folder,
      running: this.#running !== null,
      due_before: this.#dueBefore(),
      ...shown(state),
      fault: this.#fault,
    };
  }

  /** One run; where one is under way, that one. Never throws: a fault is told, and the next run goes on. */
  run(): Promise<RetentionOutcome> {
    this.#running ??= this.#run().finally(() => (this.#running = null));
    return this.#running;
  }

  async #look(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.run();
      await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #run(): Promise<RetentionOutcome> {
    const before = this.#dueBefore();
    if (before === null) return 'off';
    try {
      for (;;) {
        const { state } = await load(this.#options.log, RETENTION_STREAM, retentionDecider);
        if (state.holds.length > 0) return 'on-hold';
        const [unscavenged] = state.unscavenged;
        if (unscavenged !== undefined) {
          await this.#scavenge(state, unscavenged);
          continue;
        }
        const ripe = await this.#ripe(state, before);
        if (ripe.length === 0) break;
        if ((await this.#archive(ripe)) === 'on-hold') return 'on-hold';
      }
      this.#fault = null;
      return 'done';
    } catch (error) {
      if (this.#stopping.signal.aborted) return 'failed';
      this.#fault = { at: this.#now(), reason: (error as Error).message };
      this.#options.onFault(error as Error);
      return 'failed';
    }
  }

  /** What has ended and is old enough, the oldest first. */
  async #ripe({ archives }: Retention, before: string): Promise<readonly string[]> {
    const { log, streamsInOne = 500 } = this.#options;
    const gone = new Set(archives.flatMap(({ streams }) => streams.map(({ name }) => name)));
    const due = (await this.#oldStreams(before)).filter((name) => !gone.has(name));
    const ripe: string[] = [];
    for (const name of due) {
      if (ripe.length === streamsInOne) break;
      if (await hasEnded(log, name)) ripe.push(name);
      this.#stopping.signal.throwIfAborted();
    }
    return ripe;
  }

  async #oldStreams(before: string): Promise<readonly string[]> {
    const { log } = this.#options;
    const names: string[] = [];
    for await (const { data } of log.readStream(JOURNALS_STREAM)) names.push((data as JournalOpened['data']).journal);
    let firstMs: number | null = null;
    for await (const { recordedAt } of log.readAll({ limit: 1 })) firstMs = recordedAt;
    const endMs = Date.parse(before);
    for (let ms = firstMs ?? endMs; ms < endMs; ms += DAY_MS) names.push(`${DENIALS_PREFIX}${utcDay(ms)}`);
    return names
      .filter((name) => (dayOf(name) ?? before) < before)
      .toSorted((one, other) => (dayOf(one)! < dayOf(other)! ? -1 : 1));
  }

  async #archive(streams: readonly string[]): Promise<'archived' | 'on-hold'> {
    const { log, folder } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await sweep(folder);
    const id = newId();
    const partial = join(folder, `${PARTIAL}${id}`);
    try {
      const checkpoint = await this.#options.publisher.publish();
      if (isProblem(checkpoint)) throw new Error(checkpoint.detail);
      const stored: LogReader = log.stored ?? log;
      const logId = await log.id();
      const courtesy = new Courtesy();
      const { signal } = this.#stopping;
      const giveWay = async (): Promise<void> => {
        signal.throwIfAborted();
        await courtesy.giveWay(signal);
      };
      const contents = await writeArchive(partial, logId, streams, (name) => stored.readStream(name), giveWay);
      const file = archiveName(contents.first, contents.last, id);
      const archive = await this.#described(partial, file, contents, checkpoint.size);
      await this.#keep(partial, archive, { log: logId, checkpoint: checkpoint.note });
      const outcome = await this.#append({ kind: 'archived', archive });
      return outcome === 'refused' ? 'on-hold' : 'archived';
    } finally {
      await rm(partial, { force: true });
    }
  }

  async #described(
    path: string,
    file: string,
    contents: ArchiveContents,
    checkpoint: number,
  ): Promise<UsageArchived['data']> {
    const sha256 = createHash('sha256');
    for await (const piece of createReadStream(path)) sha256.update(piece as Buffer);
    const { size: bytes } = await stat(path);
    return { file, ...contents, bytes, sha256: sha256.digest('hex'), checkpoint, at: this.#now() };
  }

  /** The manifest first, so that who sees the archive finds it; then the name, and both for good. */
  async #keep(partial: string, archive: UsageArchived['data'], proof: object): Promise<void> {
    const { folder } = this.#options;
    const manifest = join(folder, `${archive.file}.manifest.json`);
    const text = `${JSON.stringify({ ...archive, ...proof }, null, 2)}\n`;
    await writeFile(`${partial}.manifest`, text, { mode: 0o600, flush: true });
    await rename(`${partial}.manifest`, manifest);
    await rename(partial, join(folder, archive.file));
    const directory = await open(folder, 'r');
    await directory.sync().finally(() => directory.close());
  }

  /** Each stream by itself, so that what was cut off is begun again. */
  async #scavenge({ archives }: Retention, file: string): Promise<void> {
    const { log, folder } = this.#options;
    const archive = archives.find((known) => known.file === file)!;
    const there = (await readdir(folder)).includes(file) && (await stat(join(folder, file))).size === archive.bytes;
    if (!there) throw new Error(`the archive ${file} is not in ${folder}: the log keeps what it holds`);
    for (const { name, last_revision: last } of archive.streams) {
      this.#stopping.signal.throwIfAborted();
      await log.truncate(name, last + 1);
    }
    await this.#append({ kind: 'scavenged', file, at: this.#now() });
  }

  async #append(command: RetentionCommand): Promise<'done' | 'refused'> {
    const context = { eventId: () => crypto.randomUUID(), metadata: ownMetadata() };
    const { log } = this.#options;
    const outcome = await decideAndAppend(log, RETENTION_STREAM, retentionDecider, command, context);
    return outcome.kind === 'refused' ? 'refused' : 'done';
  }

  /** A day is over at its midnight; from then on it ages. */
  #dueBefore(): string | null {
    const { maxAgeDays, clock } = this.#options;
    return maxAgeDays === null ? null : utcDay(clock() - maxAgeDays * DAY_MS);
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString();
  }
}

/** What killed processes left; one that is younger may be another process's, at work. */
async function sweep(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter((each) => each.startsWith(PARTIAL))) {
    const path = join(folder, name);
    const left = await stat(path).catch(() => null);
    if (left !== null && Date.now() - left.mtimeMs > DAY_MS) await rm(path, { force: true });
  }
}

/** Nothing more comes into it: a journal has said so, and a day of refusals was over long ago. */
async function hasEnded(log: LogReader, stream: string): Promise<boolean> {
  for await (const { type, data } of log.readStream(stream, { direction: 'backwards', limit: 1 })) {
    return !stream.startsWith(JOURNAL_PREFIX) || (type === 'UsesTallied' && (data as UsesTallied['data']).last);
  }
  return false;
}

const shown = ({ archives, unscavenged, holds }: Retention): Pick<RetentionStatus, 'holds' | 'archives'> => ({
  holds,
  archives: archives.map(({ streams, ...archive }) => ({
    ...archive,
    streams: streams.length,
    scavenged: !unscavenged.includes(archive.file),
  })),
});

const utcDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
