import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LogUnavailable, type RecordedEvent } from '../event-log/event-log.ts';
import type { PositionRange } from '../event-log/sqlite/sqlite-reader.ts';
import { ArchiveFile } from './archive-file.ts';

const NAME = /^writ-archive-\d+-\d+-[0-9A-Z]+\.db$/;

/** Names sort as positions do; the id keeps two processes at the same stretch apart. */
export const archiveName = (first: number, last: number, id: string): string =>
  `writ-archive-${String(first).padStart(16, '0')}-${String(last).padStart(16, '0')}-${id}.db`;

/**
 * The archives of a log in their folder, which several processes may share. A file gets its name when all of it is
 * there, and before the log lets go of what it holds; so what a read of the log misses, a look at the folder after that
 * read finds.
 */
export class Archives {
  readonly folder: string;
  readonly #logId: string;
  readonly #open = new Map<string, ArchiveFile>();

  constructor(folder: string, logId: string) {
    this.folder = folder;
    this.#logId = logId;
  }

  /** Names of those that are there. A folder that is missing holds none. @throws LogUnavailable: one that was there is gone */
  names(): readonly string[] {
    let names: readonly string[] = [];
    try {
      names = readdirSync(this.folder).filter((name) => NAME.test(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unavailable(error);
    }
    for (const known of this.#open.keys())
      if (!names.includes(known)) throw new LogUnavailable(`The archive ${known} is gone from ${this.folder}.`);
    return names;
  }

  /** @throws LogUnavailable when one is gone or cannot be read */
  all(): readonly ArchiveFile[] {
    return this.names().map((name) => this.#file(name));
  }

  /** The archive a stream is in; null: in none. @throws LogUnavailable */
  holding(stream: string): ArchiveFile | null {
    return this.all().find((archive) => archive.has(stream)) ?? null;
  }

  /** Position of the last event in any; 0: there is none. @throws LogUnavailable */
  last(): number {
    return this.all().reduce((last, archive) => Math.max(last, archive.last), 0);
  }

  /** As the log's file gives them (SqliteReader), of all archives together. @throws LogUnavailable */
  range(range: PositionRange, prefixes: readonly string[] | undefined): readonly RecordedEvent[] {
    const concerned = this.all().filter(({ first, last }) => first < range.below && last > range.above);
    const parts = concerned.map(({ reader }) => reader.range(range, prefixes));
    return inOrder(parts, range.backwards).slice(0, range.limit);
  }

  close(): void {
    for (const archive of this.#open.values()) archive.close();
    this.#open.clear();
  }

  #file(name: string): ArchiveFile {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    try {
      const opened = new ArchiveFile(join(this.folder, name), this.#logId);
      this.#open.set(name, opened);
      return opened;
    } catch (error) {
      throw unavailable(error);
    }
  }
}

/** Parts that are each in order, as one; an event that is in several comes once. */
export function inOrder(parts: readonly (readonly RecordedEvent[])[], backwards: boolean): readonly RecordedEvent[] {
  const filled = parts.filter(({ length }) => length > 0);
  if (filled.length <= 1) return filled[0] ?? [];
  const sign = backwards ? -1 : 1;
  const all = filled.flat().sort((one, other) => sign * (one.position - other.position));
  return all.filter(({ position }, index) => position !== all[index - 1]?.position);
}

const unavailable = (error: unknown): LogUnavailable =>
  new LogUnavailable(`The archives cannot be read: ${(error as Error).message}.`, { cause: error });
