import { hash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decideAndAppend } from '../event-log/decide-and-append.ts';
import type { EventLog, NewEvent, RecordedEvent } from '../event-log/event-log.ts';
import { ownMetadata } from '../event-log/own-metadata.ts';
import { openSqliteEventLog } from '../event-log/sqlite/sqlite-event-log.ts';
import { JOURNALS_STREAM } from '../proof/tally.ts';
import { ArchivedLog } from './archived-log.ts';
import { Archives } from './archives.ts';
import { type RetentionCommand, retentionDecider } from './decide.ts';
import { RETENTION_STREAM } from './events.ts';
import { openArchivedLog } from './open-archived-log.ts';
import { RetentionRunner } from './retention-runner.ts';

const TODAY_MS = Date.now();
const DAY_MS = 24 * 60 * 60_000;
const dayAgo = (days: number): string => new Date(TODAY_MS - days * DAY_MS).toISOString().slice(0, 10);
const OLD = `usage-01OLD-${dayAgo(40)}`;
const OPEN = `usage-01OPEN-${dayAgo(40)}`;
const NEW = `usage-01NEW-${dayAgo(3)}`;

let dataDir: string;
let folder: string;
let live: EventLog;
let log: EventLog;
const faults: string[] = [];

const openLog = async (): Promise<void> => {
  live = await openSqliteEventLog({ directory: dataDir });
  log = new ArchivedLog(live, new Archives(folder, await live.id()));
};

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'writ-retention-'));
  folder = join(dataDir, 'archives');
  faults.length = 0;
  await openLog();
  for (const journal of [OLD, OPEN, NEW]) {
    await log.append(JOURNALS_STREAM, 'any', [event('JournalOpened', { journal, at: '' })]);
    await log.append(journal, 'no-stream', [
      event('TokenUsed', { token: '01T', n: 1 }),
      event('TokenUsed', { token: '01T' }),
    ]);
  }
  for (const journal of [OLD, NEW]) await log.append(journal, 1, [event('UsesTallied', { last: true, tokens: {} })]);
});
afterEach(async () => {
  await log.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('retention', () => {
  it('P6 archives what is older than the maximum age and has ended, and lets the log go of it', async () => {
    const before = await all(log);
    expect(await runner().run()).toBe('done');
    expect(await revisionsIn(live, OLD)).toEqual([]);
    expect(await revisionsIn(live, OPEN)).toEqual([0, 1]);
    expect(await revisionsIn(live, NEW)).toEqual([0, 1, 2]);
    expect((await all(log)).filter(({ stream }) => stream !== RETENTION_STREAM)).toEqual(before);
    expect(await typesIn(RETENTION_STREAM)).toEqual(['UsageArchived', 'UsageScavenged']);
    expect(await runner().run()).toBe('done');
    expect(await typesIn(RETENTION_STREAM)).toHaveLength(2);
  });

  it('an archive has a manifest with its range, its hash and the checkpoint that was signed over it', async () => {
    await runner().run();
    const { archives } = await runner().status();
    expect(archives).toMatchObject([{ streams: 1, events: 3, checkpoint: 9, scavenged: true }]);
    const { file, bytes, sha256 } = archives[0]!;
    const content = readFileSync(join(folder, file));
    expect(content.length).toBe(bytes);
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    expect(hash('sha256', content, 'hex')).toBe(sha256);
    const manifest = JSON.parse(readFileSync(join(folder, `${file}.manifest.json`), 'utf8')) as object;
    expect(manifest).toMatchObject({ file, sha256, events: 3, checkpoint: 'signed note', log: await live.id() });
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('what killed processes left is swept, what others are at is not', async () => {
    mkdirSync(folder);
    for (const name of ['.partial-01OLD', '.partial-01NEW']) writeFileSync(join(folder, name), 'half');
    utimesSync(join(folder, '.partial-01OLD'), new Date(), new Date(TODAY_MS - 2 * DAY_MS));
    await runner().run();
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual(['.partial-01NEW']);
  });

  it('refusals of a day go with the day', async () => {
    await log.append(`denials-${dayAgo(0)}`, 'any', [event('TokenUsesDenied', {})]);
    const later = runner({ clock: () => TODAY_MS + 60 * DAY_MS });
    expect(await later.run()).toBe('done');
    expect(await revisionsIn(live, `denials-${dayAgo(0)}`)).toEqual([]);
    expect(await revisionsIn(live, NEW)).toEqual([]);
    expect(await revisionsIn(log, `denials-${dayAgo(0)}`)).toEqual([0]);
  });

  it('does nothing without a maximum age, or while a legal hold is in force', async () => {
    expect(await runner({ maxAgeDays: null }).run()).toBe('off');
    await decide({ kind: 'place-hold', hold: '01A', reason: 'case 7', at: '' });
    await decide({ kind: 'place-hold', hold: '01B', reason: 'case 8', at: '' });
    expect(await runner().run()).toBe('on-hold');
    await decide({ kind: 'lift-hold', hold: '01A', reason: 'closed', at: '' });
    expect(await runner().run()).toBe('on-hold');
    expect(await revisionsIn(live, OLD)).toEqual([0, 1, 2]);
    expect(existsSync(folder)).toBe(false);
    await decide({ kind: 'lift-hold', hold: '01B', reason: 'closed', at: '' });
    expect(await runner().run()).toBe('done');
    expect(await revisionsIn(live, OLD)).toEqual([]);
  });

  it('a hold that is placed while an archive is written keeps the log whole', async () => {
    const publish = async () => {
      await decide({ kind: 'place-hold', hold: '01A', reason: 'case 7', at: '' });
      return signed;
    };
    expect(await runner({ publisher: { publish } }).run()).toBe('on-hold');
    expect(await revisionsIn(live, OLD)).toEqual([0, 1, 2]);
    expect(await typesIn(RETENTION_STREAM)).toEqual(['LegalHoldPlaced']);
    expect(await revisionsIn(log, OLD)).toEqual([0, 1, 2]);
  });

  it('P6 goes on where it was cut off: between archive and letting go, and in the middle of that', async () => {
    const before = await all(log);
    const failing = overriding(log, { truncate: () => Promise.reject(new Error('cut off')) });
    expect(await runner({ log: failing }).run()).toBe('failed');
    expect(faults).toEqual(['cut off']);
    expect(await revisionsIn(live, OLD)).toEqual([0, 1, 2]);
    await live.truncate(OLD, 1);
    expect((await all(log)).filter(({ stream }) => stream !== RETENTION_STREAM)).toEqual(before);
    const next = runner();
    expect(await next.run()).toBe('done');
    expect(await next.status()).toMatchObject({ archives: [{ scavenged: true }], fault: null });
    expect(await revisionsIn(live, OLD)).toEqual([]);
    expect(await typesIn(RETENTION_STREAM)).toEqual(['UsageArchived', 'UsageScavenged']);
  });

  it('lets go of nothing whose archive is not there, whole', async () => {
    const failing = overriding(log, { truncate: () => Promise.reject(new Error('cut off')) });
    await runner({ log: failing }).run();
    const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.db'));
    chmodSync(join(folder, file), 0o600);
    writeFileSync(join(folder, file), 'cut');
    expect(await runner().run()).toBe('failed');
    expect(await revisionsIn(live, OLD)).toEqual([0, 1, 2]);
    expect(faults.at(-1)).toMatch(/the log keeps what it holds|cannot be read/);
  });

  it('a log whose archive is missing or cut is not opened', async () => {
    await runner().run();
    await log.close();
    const place = { dataDir, eventStoreUrl: null, archiveFolder: null };
    const opened = await openArchivedLog(place);
    expect(await revisionsIn(opened, OLD)).toEqual([0, 1, 2]);
    await opened.close();
    const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.db'));
    const content = readFileSync(join(folder, file));
    rmSync(join(folder, file));
    await expect(openArchivedLog(place)).rejects.toThrow(/is missing\. Restore it from its back-up/);
    writeFileSync(join(folder, file), content.subarray(0, 5_000));
    await expect(openArchivedLog(place)).rejects.toThrow(/has 5000 bytes, not/);
    writeFileSync(join(folder, file), content);
    await openLog();
    expect(await revisionsIn(log, OLD)).toEqual([0, 1, 2]);
  });

  it('many streams go into several archives', async () => {
    for (let n = 0; n < 5; n++) {
      const journal = `usage-0${n}-${dayAgo(50)}`;
      await log.append(JOURNALS_STREAM, 'any', [event('JournalOpened', { journal, at: '' })]);
      await log.append(journal, 'no-stream', [event('UsesTallied', { last: true, tokens: {} })]);
    }
    const few = runner({ streamsInOne: 4 });
    await few.run();
    expect((await few.status()).archives.map(({ streams }) => streams)).toEqual([4, 2]);
  });
});

const signed = { size: 9, note: 'signed note' } as never;

const runner = (options: Partial<ConstructorParameters<typeof RetentionRunner>[0]> = {}): RetentionRunner =>
  new RetentionRunner({
    log,
    publisher: { publish: () => Promise.resolve(signed) },
    folder,
    maxAgeDays: 30,
    clock: () => TODAY_MS,
    onFault: ({ message }) => faults.push(message),
    ...options,
  });

const event = (type: string, data: object): NewEvent => ({ id: randomUUID(), type, data, metadata: ownMetadata() });

const decide = (command: RetentionCommand) =>
  decideAndAppend(log, RETENTION_STREAM, retentionDecider, command, {
    eventId: () => randomUUID(),
    metadata: ownMetadata(),
  });

const all = (from: EventLog): Promise<RecordedEvent[]> => Array.fromAsync(from.readAll());
const revisionsIn = async (from: EventLog, stream: string): Promise<number[]> =>
  (await Array.fromAsync(from.readStream(stream))).map(({ revision }) => revision);
const typesIn = async (stream: string): Promise<string[]> =>
  (await Array.fromAsync(log.readStream(stream))).map(({ type }) => type);

/** The log, but for what is given. */
const overriding = (given: EventLog, some: Partial<EventLog>): EventLog =>
  new Proxy(given, {
    get: (target, name) =>
      some[name as keyof EventLog] ?? (target[name as keyof EventLog] as (() => unknown) | undefined)?.bind(target),
  });
