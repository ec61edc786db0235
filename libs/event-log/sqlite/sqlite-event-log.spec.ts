import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type EventLog,
  LogUnavailable,
  type NewEvent,
  OutcomeUnknown,
  type RecordedEvent,
  WrongExpectedRevision,
} from '../event-log.ts';
import { LogInUse } from './folder-lock.ts';
import { openSqliteEventLog, type SqliteEventLogOptions } from './sqlite-event-log.ts';

/** Strips the types of what the child imports, and turns the few parts that are more than types. */
const FLAGS = ['--experimental-transform-types', '--disable-warning=ExperimentalWarning'];

let directory: string;
const logs: EventLog[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'writ-log-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  for (const log of logs.splice(0)) await log.close();
  await rm(directory, { recursive: true });
});

describe('a process killed while it appends', () => {
  it('P1 loses nothing that was acknowledged, and leaves the folder free', async () => {
    const acknowledged = await appendUntilKilled(50);
    const log = await open();
    const stored = await all(log.readAll());
    const ids = new Set(stored.map(({ id }) => id));
    expect(acknowledged.length).toBeGreaterThanOrEqual(50);
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
    expect(stored).toHaveLength(ids.size);
    await expect(log.append('writer-0', 'any', [event()])).resolves.toMatchObject({ position: stored.length + 1 });
  });
});

describe('a folder in use', () => {
  const words = /is in use by another Writ; stop it first/;

  it('is refused to the same process, and free once closed', async () => {
    const log = await open();
    await expect(open()).rejects.toMatchObject({ name: 'LogInUse', message: expect.stringMatching(words) });
    await log.close();
    await expect(open()).resolves.toBeDefined();
  });

  it('is refused to another process', async () => {
    await startAppending();
    await expect(open()).rejects.toBeInstanceOf(LogInUse);
    await expect(open()).rejects.toThrow(words);
  });
});

describe('a file that cannot be used', () => {
  it('is refused when another version of Writ wrote it, unchanged', async () => {
    await (await open()).close();
    raw((db) => db.exec('PRAGMA user_version = 7'));
    await expect(open()).rejects.toBeInstanceOf(LogUnavailable);
    await expect(open()).rejects.toThrow('the log was written by another version of Writ (its schema is 7)');
    raw((db) => db.exec('PRAGMA user_version = 3'));
    await expect(open()).resolves.toBeDefined();
  });

  it('P6 is brought up from version 2, in which no stream was ever truncated', async () => {
    const before = await open();
    await before.append('usage-1', 'no-stream', [event(), event()]);
    await before.close();
    raw((db) => db.exec('ALTER TABLE streams DROP COLUMN truncated_before; PRAGMA user_version = 2'));
    const log = await open();
    expect(await all(log.readStream('usage-1'))).toHaveLength(2);
    await log.truncate('usage-1', 2);
    expect(await log.append('usage-1', 1, [event()])).toMatchObject({ revision: 2 });
  });
});

describe('a full disk', () => {
  it('P1 refuses appends, keeps what was acknowledged and goes on reading', async () => {
    const log = await open({ maxBytes: 256 * 1024 });
    const acknowledged: string[] = [];
    const failures: unknown[] = [];
    for (let n = 0; n < 40; n++) {
      const large = event({ text: 'x'.repeat(20_000) });
      await log.append('large-1', 'any', [large]).then(
        () => acknowledged.push(large.id),
        (error: unknown) => failures.push(error),
      );
    }
    expect(acknowledged.length).toBeGreaterThan(5);
    expect(failures.length).toBeGreaterThan(5);
    expect(failures.every((error) => error instanceof LogUnavailable || error instanceof OutcomeUnknown)).toBe(true);
    expect((await all(log.readStream('large-1'))).map(({ id }) => id)).toEqual(acknowledged);
    // What was not stored has moved no head.
    const again = log.append('large-1', acknowledged.length - 1, [event({ text: 'x'.repeat(20_000) })]);
    await expect(again).rejects.not.toBeInstanceOf(WrongExpectedRevision);
    await log.close();
    const reopened = await open();
    expect((await all(reopened.readStream('large-1'))).map(({ id }) => id)).toEqual(acknowledged);
    await expect(reopened.append('large-1', acknowledged.length - 1, [event()])).resolves.toBeDefined();
  });
});

describe('upcasting', () => {
  it('is done on every way of reading', async () => {
    const first = await open();
    await first.append('old-1', 'no-stream', [event({ name: 'a' })]);
    await first.close();
    const upcast = (old: RecordedEvent): RecordedEvent => ({
      ...old,
      data: { title: (old.data as { name: string }).name },
    });
    const log = await open({ upcast });
    const data: unknown[] = [];
    for await (const read of log.readStream('old-1')) data.push(read.data);
    for await (const read of log.readAll()) data.push(read.data);
    for await (const read of log.readAll({ streamPrefixes: ['old-'] })) data.push(read.data);
    for await (const message of log.subscribe({ after: null })) {
      if (message.kind === 'events') data.push(...message.events.map((read) => read.data));
      if (message.kind === 'caught-up') break;
    }
    expect(data).toEqual(Array.from({ length: 4 }, () => ({ title: 'a' })));
  });
});

describe('closing', () => {
  it('ends subscriptions quietly, in whatever they are', async () => {
    const log = await open();
    await log.append('a-1', 'no-stream', [event()]);
    const waiting = all(log.subscribe({ after: await log.head() }));
    const busy = log.subscribe({ after: null })[Symbol.asyncIterator]();
    expect(await busy.next()).toMatchObject({ value: { kind: 'events' } });
    await log.close();
    expect((await waiting).map(({ kind }) => kind)).toEqual(['caught-up']);
    const { value: last } = await busy.next();
    expect([last?.kind, (await busy.next()).done]).toEqual(['checkpoint', true]);
  });

  it('P1 waits for the appends under way', async () => {
    const log = await open();
    const under = log.append('a-1', 'no-stream', [event()]);
    await log.close();
    await expect(under).resolves.toMatchObject({ revision: 0 });
    expect(await all((await open()).readStream('a-1'))).toHaveLength(1);
  });
});

async function open(options: Omit<SqliteEventLogOptions, 'directory'> = {}): Promise<EventLog> {
  const log = await openSqliteEventLog({ directory, ...options });
  logs.push(log);
  return log;
}

/** A process that appends, from when its first append was acknowledged; `read` are the ids it acknowledged so far. */
async function startAppending(): Promise<{ readonly child: ChildProcess; readonly read: () => readonly string[] }> {
  const script = join(import.meta.dirname, '../../../test/faults/append-until-killed.ts');
  const child = spawn(process.execPath, [...FLAGS, script, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await spoken(child);
  // What follows the last line end was cut off by the kill.
  return { child, read: () => said.split('\n').slice(0, -1) };
}

async function appendUntilKilled(atLeast: number): Promise<readonly string[]> {
  const { child, read } = await startAppending();
  while (read().length < atLeast) await spoken(child);
  await kill(child);
  return read();
}

/** Resolves when the process has said more, rejects when it has ended. */
async function spoken(child: ChildProcess): Promise<void> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const ended = once(child, 'close', { signal }).then(() => Promise.reject(new Error('the process ended by itself')));
  await Promise.race([once(child.stdout ?? child, 'data', { signal }), ended]).finally(() => waiting.abort());
}

/** Resolves when the process is gone and all it said was read. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

function raw(change: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(join(directory, 'log.db'));
  try {
    change(db);
  } finally {
    db.close();
  }
}

function event(data: Record<string, unknown> = {}): NewEvent {
  const metadata = { $correlationId: 'test', $causationId: 'test', schema: 1 };
  return { id: randomUUID(), type: 'Tested', data, metadata };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
