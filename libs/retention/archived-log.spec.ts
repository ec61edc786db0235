import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EventStoreDouble } from '../../test/doubles/eventstoredb/server.ts';
import type { EventLog, NewEvent, ReadAllOptions, ReadStreamOptions, RecordedEvent } from '../event-log/event-log.ts';
import { openEventStoreLog } from '../event-log/eventstoredb/eventstore-log.ts';
import { openSqliteEventLog } from '../event-log/sqlite/sqlite-event-log.ts';
import { writeArchive } from './archive-file.ts';
import { ArchivedLog } from './archived-log.ts';
import { archiveName, Archives } from './archives.ts';

const STREAMS = ['usage-01A-2026-01-01', 'usage-01B-2026-01-02', 'denials-2026-01-01', 'token-01T', 'retention'];
const ARCHIVABLE = 3;

let folder: string;
let live: EventLog;
let log: ArchivedLog;
/** All that was ever appended. */
let history: RecordedEvent[];

type OpenLive = () => Promise<{ readonly log: EventLog; dispose(): void | Promise<void> }>;

const openSqlite: OpenLive = async () => ({
  log: await openSqliteEventLog({ directory: join(folder, 'log') }),
  dispose: () => undefined,
});
const openEventStore: OpenLive = async () => {
  const double = await new EventStoreDouble().start();
  const { connectionString } = double;
  return { log: await openEventStoreLog({ connectionString }), dispose: () => double.stop() };
};

let openLive: OpenLive;
let dispose: () => void | Promise<void>;

const open = async (): Promise<void> => {
  folder = mkdtempSync(join(tmpdir(), 'writ-archives-'));
  ({ log: live, dispose } = await openLive());
  log = new ArchivedLog(live, new Archives(join(folder, 'archives'), await live.id()));
  history = [];
};
const close = async (): Promise<void> => {
  await log.close();
  await dispose();
  rmSync(folder, { recursive: true });
};

describe.each([
  ['embedded', openSqlite],
  ['EventStoreDB (double), which shows what it let go of until it is scavenged', openEventStore],
])('a log and its archives: %s', (_what, engine) => {
  beforeEach(() => {
    openLive = engine;
    return open();
  });
  afterEach(close);

  it('P6 read as if nothing had ever left the log, however much of it is archived', async () => {
    await fc.assert(
      fc
        .asyncProperty(
          fc.array(writing, { maxLength: 12 }),
          fc.array(reading, { maxLength: 8 }),
          async (writes, reads) => {
            for (const write of writes)
              await (write.kind === 'append' ? append(write) : archive(write.streams, write.keep));
            for (const { options: asked, stream } of reads) {
              const { direction, limit, after: from } = asked;
              const options = { ...asked, ...(from && { after: history[from]?.position ?? from }) };
              expect(await all(log.readAll(options))).toEqual(allOf(options));
              const part = { ...(direction && { direction }), ...(limit && { limit }), ...(from && { from }) };
              expect(await all(log.readStream(STREAMS[stream]!, part))).toEqual(streamOf(STREAMS[stream]!, part));
            }
          },
        )
        .beforeEach(async () => {
          await close();
          await open();
        }),
      { numRuns: 25 },
    );
  });

  it('P6 long streams are read in parts, across what is archived while they are read', async () => {
    for (let round = 0; round < 5; round++)
      for (const stream of [0, 3]) await append({ kind: 'append', stream, count: 600 });
    const read: RecordedEvent[] = [];
    for await (const event of log.readAll()) {
      read.push(event);
      if (read.length === 700) await archive([0], false);
    }
    expect(read).toEqual(history);
    const stream: RecordedEvent[] = [];
    for await (const event of log.readStream(STREAMS[0]!)) stream.push(event);
    expect(stream).toEqual(streamOf(STREAMS[0]!, {}));
  });

  it('P6 what is archived just before a part is read is in that part', async () => {
    await append({ kind: 'append', stream: 0, count: 3 });
    await append({ kind: 'append', stream: 3, count: 3 });
    const archivingFirst = new Proxy(live, {
      get: (target, name) =>
        name === 'readAll' || name === 'readStream'
          ? async function* (...given: never[]) {
              await archive([0], false);
              yield* (target[name] as (...given: never[]) => AsyncIterable<RecordedEvent>).apply(target, given);
            }
          : (target[name as keyof EventLog] as () => unknown).bind(target),
    });
    const archives = new Archives(join(folder, 'archives'), await live.id());
    const read = new ArchivedLog(archivingFirst, archives);
    expect(await all(read.readAll())).toEqual(history);
    expect(await all(read.readStream(STREAMS[0]!))).toEqual(streamOf(STREAMS[0]!, {}));
    archives.close();
  });

  it('P6 a subscription that is behind gets what was archived meanwhile, each event once, in order', async () => {
    for (let round = 0; round < 8; round++)
      for (const stream of [0, 1, 3]) await append({ kind: 'append', stream, count: 200 });
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const message of log.subscribe({ after: null, signal: stop.signal })) {
      if (message.kind === 'caught-up') break;
      if (message.kind !== 'events') continue;
      seen.push(...message.events.map(({ position }) => position));
      if (seen.length >= 500) await archive([0], false);
      if (seen.length > 2_000) await archive([1], false);
    }
    stop.abort();
    expect(seen).toEqual(history.map(({ position }) => position));
    const after = history[1_000]!.position;
    const resumed: number[] = [];
    for await (const message of log.subscribe({ after, streamPrefixes: ['usage-'] })) {
      if (message.kind === 'caught-up') break;
      if (message.kind === 'events') resumed.push(...message.events.map(({ position }) => position));
    }
    const rest = allOf({ after, streamPrefixes: ['usage-'] });
    expect(resumed).toEqual(rest.map(({ position }) => position));
  });

  it('P6 a missing archive is an error, never a gap', async () => {
    await append({ kind: 'append', stream: 0, count: 3 });
    await archive([0], false);
    expect(await all(log.readStream(STREAMS[0]!))).toHaveLength(3);
    rmSync(join(folder, 'archives'), { recursive: true });
    await expect(all(log.readAll())).rejects.toThrow(/is gone from/);
    await expect(all(log.readStream(STREAMS[0]!))).rejects.toMatchObject({ name: 'LogUnavailable' });
  });

  it('an archive of another log is refused', async () => {
    await append({ kind: 'append', stream: 0, count: 3 });
    await archive([0], true);
    const strange = new ArchivedLog(live, new Archives(join(folder, 'archives'), randomUUID()));
    await expect(all(strange.readAll())).rejects.toThrow(/another log/);
  });
});

type Writing =
  | { readonly kind: 'append'; readonly stream: number; readonly count: number }
  /** `keep`: the log has not let go of it yet. */
  | { readonly kind: 'archive'; readonly streams: readonly number[]; readonly keep: boolean };

const writing: fc.Arbitrary<Writing> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('append'),
      stream: fc.nat(STREAMS.length - 1),
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('archive'),
      streams: fc.uniqueArray(fc.nat(ARCHIVABLE - 1), { minLength: 1 }),
      keep: fc.boolean(),
    }),
  },
);

const reading: fc.Arbitrary<{ options: ReadAllOptions; stream: number }> = fc.record({
  stream: fc.nat(STREAMS.length - 1),
  options: fc.record(
    {
      after: fc.integer({ min: 1, max: 40 }),
      limit: fc.integer({ min: 1, max: 10 }),
      direction: fc.constantFrom('forwards' as const, 'backwards' as const),
      streamPrefixes: fc.subarray(['usage-', 'usage-01A', 'denials-', 'token-', 'ret'], { minLength: 1 }),
    },
    { requiredKeys: [] },
  ),
});

/** What was archived has ended. */
async function append({ stream, count }: Extract<Writing, { kind: 'append' }>): Promise<void> {
  const name = STREAMS[stream]!;
  if (await isArchived(name)) return;
  const events: NewEvent[] = Array.from({ length: count }, (_, n) => ({
    id: randomUUID(),
    type: 'Happened',
    data: { n },
    metadata: { $correlationId: 'c', $causationId: 'c', schema: 1 },
  }));
  await log.append(name, 'any', events);
  history.push(...(await all(live.readAll({ after: history.at(-1)?.position ?? 0 }))));
}

async function archive(streams: readonly number[], keep: boolean): Promise<void> {
  const names: string[] = [];
  for (const name of streams.map((index) => STREAMS[index]!)) {
    if (streamOf(name, {}).length > 0 && !(await isArchived(name))) names.push(name);
  }
  if (names.length === 0) return;
  mkdirSync(join(folder, 'archives'), { recursive: true });
  const partial = join(folder, 'archives', '.partial');
  const read = (name: string): AsyncIterable<RecordedEvent> => live.readStream(name);
  const contents = await writeArchive(partial, await live.id(), names, read, () => Promise.resolve());
  renameSync(partial, join(folder, 'archives', archiveName(contents.first, contents.last, '01')));
  if (keep) return;
  for (const { name, last_revision: last } of contents.streams) await live.truncate(name, last + 1);
}

async function isArchived(stream: string): Promise<boolean> {
  const archives = new Archives(join(folder, 'archives'), await live.id());
  try {
    return archives.holding(stream) !== null;
  } finally {
    archives.close();
  }
}

const all = (events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> => Array.fromAsync(events);

function allOf({ after, direction, limit, streamPrefixes }: ReadAllOptions): RecordedEvent[] {
  const backwards = direction === 'backwards';
  const found = history.filter(
    ({ stream, position }) =>
      (streamPrefixes?.some((prefix) => stream.startsWith(prefix)) ?? true) &&
      (after === undefined || (backwards ? position < after : position > after)),
  );
  return (backwards ? found.toReversed() : found).slice(0, limit);
}

function streamOf(name: string, { from, direction, limit }: ReadStreamOptions): RecordedEvent[] {
  const backwards = direction === 'backwards';
  const found = history.filter(
    ({ stream, revision }) =>
      stream === name && (from === undefined || (backwards ? revision <= from : revision >= from)),
  );
  return (backwards ? found.toReversed() : found).slice(0, limit);
}
