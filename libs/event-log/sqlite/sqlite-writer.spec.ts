import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogUnavailable, OutcomeUnknown } from '../event-log.ts';
import { ready, SqliteWriter } from './sqlite-writer.ts';
import type { AppendRequest } from './writer-messages.ts';

let directory: string;
let file: string;
let writer: SqliteWriter;
let commits: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'writ-log-'));
  file = join(directory, 'log.db');
  commits = 0;
  writer = await SqliteWriter.start({ file });
  writer.onCommit(() => commits++);
});
afterEach(async () => {
  await writer.close();
  await rm(directory, { recursive: true });
});

describe('group commit', () => {
  it('stores the appends of one tick in one transaction', async () => {
    const before = transactions(file);
    const appended = await Promise.all(Array.from({ length: 50 }, () => writer.append(request())));
    expect(new Set(appended.map(({ position }) => position)).size).toBe(50);
    expect(transactions(file) - before).toBe(1);
    expect(commits).toBe(1);
  });

  it('gathers what comes while a transaction is under way', async () => {
    const before = transactions(file);
    const first = writer.append(request());
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([first, ...Array.from({ length: 49 }, () => writer.append(request()))]);
    expect(transactions(file) - before).toBe(2);
  });

  it('lets a conflict in the group fail alone', async () => {
    const stale: AppendRequest = { ...request('a-1'), expected: 7 };
    const settled = await Promise.allSettled([request('a-1'), stale, request('a-1')].map((r) => writer.append(r)));
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(commits).toBe(1);
  });
});

describe('a writer whose thread ends', () => {
  it('P1 does not know what became of the appends it was told, and surely did not store later ones', async () => {
    const db = new DatabaseSync(file);
    // Keeps the thread waiting for the file, so that it ends in the midst of the append whatever the machine's pace.
    db.exec('BEGIN IMMEDIATE');
    const told = writer.append(request());
    await new Promise((resolve) => setImmediate(resolve));
    const gathered = writer.append(request());
    const settled = Promise.allSettled([told, gathered]);
    const ended = writer.terminate();
    db.exec('ROLLBACK');
    db.close();
    await ended;
    expect(await settled).toMatchObject([
      { reason: expect.any(OutcomeUnknown) },
      { reason: expect.any(LogUnavailable) },
    ]);
    await expect(writer.append(request())).rejects.toBeInstanceOf(LogUnavailable);
  });

  it('closes all the same', async () => {
    await writer.terminate();
    await expect(writer.close()).resolves.toBeUndefined();
  });
});

describe('a thread that does not start', () => {
  it.each([
    ['ends without a word', 'process.exit(3)', 'it ended with code 3'],
    ['throws', 'throw new TypeError("no such module")', 'no such module'],
    ['says why', `require('node:worker_threads').parentPort.postMessage({ kind: 'broken', reason: 'bad' })`, 'bad'],
  ])('leaves the log unavailable when it %s', async (_, code, reason) => {
    const thread = new Worker(code, { eval: true });
    const failure = await ready(thread).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LogUnavailable);
    expect((failure as Error).message).toMatch(new RegExp(`^The log cannot be opened: .*${reason}\\.$`));
    expect(thread.threadId).toBe(-1);
  });
});

function request(stream = `s-${randomUUID()}`): AppendRequest {
  return { stream, expected: 'any', events: [{ id: randomUUID(), type: 'Tested', data: '{}', metadata: '{}' }] };
}

/** Transactions in the write-ahead log: the frames that end one name the file's size (https://sqlite.org/fileformat2.html#walformat). */
function transactions(file: string): number {
  const wal = readFileSync(`${file}-wal`);
  const frameBytes = 24 + wal.readUInt32BE(8);
  let found = 0;
  for (let frame = 32; frame + frameBytes <= wal.length; frame += frameBytes) {
    if (wal.readUInt32BE(frame + 4) > 0) found++;
  }
  return found;
}
