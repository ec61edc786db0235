import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { EventStoreDouble } from '../../test/doubles/eventstoredb/server.ts';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { eventOf, tokenCreated, useOfToken } from '../../test/support/history.ts';
import type { EventLog } from '../event-log/event-log.ts';
import { openEventStoreLog } from '../event-log/eventstoredb/eventstore-log.ts';
import { openSqliteEventLog } from '../event-log/sqlite/sqlite-event-log.ts';
import type { Operations } from '../operation/operations.ts';
import { newTokenId } from '../tokens/token-id.ts';
import type { DigestMade } from './events.ts';
import { DigestFold } from './digest-fold.ts';
import { DigestKeeper } from './digest-keeper.ts';
import { DAY_MS, parsePeriod, periodAt } from './period.ts';

const MINUTE_MS = 60_000;
const NO_OPERATIONS = { named: () => null } as unknown as Operations;

const iso = (ms: number): string => new Date(ms).toISOString();

type Opened = { readonly log: EventLog; close(): Promise<void> };

const LOGS: readonly (readonly [string, () => Promise<Opened>])[] = [
  [
    'memory',
    () => {
      const log = new MemoryEventLog();
      return Promise.resolve({ log, close: () => log.close() });
    },
  ],
  [
    'SQLite',
    async () => {
      const directory = mkdtempSync(join(tmpdir(), 'writ-digests-'));
      const log = await openSqliteEventLog({ directory });
      const close = async (): Promise<void> => {
        await log.close();
        rmSync(directory, { recursive: true });
      };
      return { log, close };
    },
  ],
  [
    'EventStoreDB (double)',
    async () => {
      const double = await new EventStoreDouble().start();
      const log = await openEventStoreLog({ connectionString: double.connectionString });
      const close = async (): Promise<void> => {
        await log.close();
        await double.stop();
      };
      return { log, close };
    },
  ],
];

/** The log is written to now; what is told in it lies in the days ahead, which the keepers' clock has reached. */
const FIRST = periodAt('daily', Date.now() + 2 * DAY_MS);

describe.each(LOGS)('those who keep digests, on %s', (_name, open) => {
  const closing: (() => Promise<void>)[] = [];
  let log: EventLog;
  let nowMs: number;
  const keeper = (): DigestKeeper => new DigestKeeper(log, () => nowMs, NO_OPERATIONS);
  const token = newTokenId(FIRST.fromMs);
  const theirs = newTokenId(FIRST.fromMs + 1);

  const found = async (): Promise<void> => {
    const opened = await open();
    closing.push(() => opened.close());
    ({ log } = opened);
    nowMs = FIRST.fromMs;
    await log.append(`token-${token}`, 'no-stream', [tokenCreated(token, nowMs)]);
    await log.append(`token-${theirs}`, 'no-stream', [tokenCreated(theirs, nowMs, { workspace: 'w2' })]);
  };
  const use = (timeMs: number, address = '192.0.2.1', id = token, workspace = 'w1'): Promise<unknown> =>
    log.append('usage-1', 'any', [
      eventOf('TokenUsed', useOfToken(id, timeMs, { workspace, client_address: address })),
    ]);

  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  it('make one digest a workspace and period, however many processes there are', async () => {
    await found();
    await use(FIRST.fromMs + 1);
    await use(FIRST.fromMs + 2, '192.0.2.2', theirs, 'w2');
    nowMs = FIRST.toMs + 10 * MINUTE_MS;
    const [one, two, three, four] = [keeper(), keeper(), keeper(), keeper()];
    await Promise.all([one.makeDue(), two.makeDue(), three.find('w1', FIRST), four.find('w2', FIRST)]);

    const events = await Array.fromAsync(log.readAll({ streamPrefixes: ['digest-', 'period-'] }));
    const daily = events.filter(({ stream }) => stream.endsWith(FIRST.id));
    expect(daily.map(({ stream }) => stream).toSorted()).toEqual(
      [`digest-w1-${FIRST.id}`, `digest-w2-${FIRST.id}`, `period-${FIRST.id}`, `period-${FIRST.id}`].toSorted(),
    );
    const answers = await Promise.all([one, two, three, four].map((each) => each.find('w1', FIRST)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ kind: 'found', digest: { workspace: 'w1', totals: { allowed: 1 } } });
  });

  it('make up for the days nobody was there, and again what was begun and not finished', async () => {
    await found();
    for (let day = 0; day < 3; day++) await use(FIRST.fromMs + day * DAY_MS);
    nowMs = FIRST.fromMs + 3 * DAY_MS + 11 * MINUTE_MS;
    const closed = { period: FIRST.id, from: iso(FIRST.fromMs), to: iso(FIRST.toMs), at: iso(nowMs) };
    await log.append(`period-${FIRST.id}`, 'no-stream', [eventOf('PeriodClosed', closed)]);
    const days = [0, 1, 2].map((day) => periodAt('daily', FIRST.fromMs + day * DAY_MS).id);
    const made = async (): Promise<string[]> => {
      const all = await Array.fromAsync(log.readAll({ streamPrefixes: ['digest-w1'] }));
      return days.filter((id) => all.some(({ stream }) => stream === `digest-w1-${id}`));
    };

    await keeper().makeDue();
    expect(await made()).toEqual(days.slice(1));
    nowMs += 15 * MINUTE_MS;
    await keeper().makeDue();
    expect(await made()).toEqual(days);
  });

  it('read the calls of the last 30 days only, once there are closed days, to the same bytes', async () => {
    await found();
    const days = Array.from({ length: 40 }, (_, index) => periodAt('daily', FIRST.fromMs + index * DAY_MS));
    const reads = jest.spyOn(log, 'readAll');
    const one = keeper();
    for (const [index, day] of days.entries()) {
      await use(day.fromMs + MINUTE_MS, `192.0.2.${index}`);
      if (index === 39) {
        for (const known of [5, 12]) await use(day.fromMs + MINUTE_MS, `192.0.2.${known}`);
      }
      nowMs = day.toMs + 10 * MINUTE_MS;
      reads.mockClear();
      await one.find('w1', day);
    }
    expect(reads.mock.calls).toContainEqual([{ after: expect.any(Number) }]);
    const all = await Array.fromAsync(log.readAll());
    const last = days.at(-1)!;
    const { position } = all.find(({ stream }) => stream === `period-${last.id}`)!;
    const whole = new DigestFold({ period: last, position }, () => null);
    for (const event of all) whole.play(event);
    const kept = all.find(({ stream }) => stream === `digest-w1-${last.id}`)!.data as DigestMade['data'];
    expect(JSON.stringify(kept.digest)).toBe(JSON.stringify(whole.digests().get('w1')));
    expect(kept.digest.totals).toMatchObject({ allowed: 3, late: 0 });
    const first = kept.digest.first_seen_addresses.items.map(({ address }) => address);
    expect(first).toEqual(['192.0.2.39', '192.0.2.5']);
  });

  it('keep one that would be too large for one event with shorter lists', async () => {
    await found();
    const scopes = Array.from({ length: 60 }, (_, index) => `a-rather-long-scope-of-its-own-${index}`);
    const others = Array.from({ length: 600 }, (_, index) => newTokenId(FIRST.fromMs + 2 + index));
    for (const id of others) {
      await log.append(`token-${id}`, 'no-stream', [tokenCreated(id, FIRST.fromMs + MINUTE_MS, { scopes })]);
    }
    nowMs = FIRST.toMs + 10 * MINUTE_MS;
    const answer = await keeper().find('w1', FIRST);
    if (answer.kind !== 'found') throw new Error(answer.kind);
    const { unused_tokens: unused, changes, totals } = answer.digest;
    expect([totals.tokens_alive, totals.tokens_created]).toEqual([601, 601]);
    for (const { items, more } of [unused, changes]) {
      expect(items.length + more).toBe(601);
      expect(items.length).toBe(125);
    }
  });

  it('make none of what is not over, nor of before there was anybody', async () => {
    await found();
    nowMs = FIRST.toMs + 10 * MINUTE_MS - 1;
    expect(await keeper().find('w1', FIRST)).toEqual({ kind: 'not_over' });
    nowMs += 1;
    expect(await keeper().find('w3', FIRST)).toEqual({ kind: 'not_there' });
    expect(await keeper().find('w1', parsePeriod('1999-01-01')!)).toEqual({ kind: 'not_there' });
    expect(await Array.fromAsync(log.readStream('period-1999-01-01'))).toEqual([]);
  });
});
