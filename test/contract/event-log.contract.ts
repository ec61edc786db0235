import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AppendTooLarge,
  type EventLog,
  LogUnavailable,
  type NewEvent,
  type RecordedEvent,
  type SubscribeOptions,
  WrongExpectedRevision,
} from '../../libs/event-log/event-log.ts';

/** What a log under test may be told to suffer. Each holds for the next append, or at once for subscriptions. */
export interface LogFaults {
  /** The connection breaks when the next append arrives, before it is stored. */
  cutBeforeStore(): void | Promise<void>;
  /** The connection breaks after the next append was stored, before its answer. */
  cutAfterStore(): void | Promise<void>;
  dropSubscriptions(): void | Promise<void>;
  /** Another node of the cluster leads. Only where there is one. */
  changeLeader?(): void | Promise<void>;
}

export interface OpenedLog {
  readonly log: EventLog;
  /** Closes the log and opens the same one again. The suite closes what it gets. */
  reopen?(): Promise<EventLog>;
  readonly faults?: LogFaults;
  /** Stops what `open` started beside the log; called after the log was closed. */
  dispose?(): void | Promise<void>;
}

export type LogAbility = 'reopen' | 'reconnect' | 'unknown outcome' | 'empty log' | 'change of leader';

/**
 * What every event log does. `open` is called before each test; the log may hold other tests' events, unless the
 * ability `empty log` is claimed. What an adapter cannot do is listed in `cannot`, with the reason.
 */
export function eventLogContract(
  name: string,
  open: () => Promise<OpenedLog>,
  cannot: Partial<Record<LogAbility, string>> = {},
): void {
  describe(`event log contract: ${name}`, () => {
    let opened: OpenedLog;
    let log: EventLog;
    /** Streams of this test only, whatever else the log holds. */
    let prefix: string;
    let stream: string;

    beforeEach(async () => {
      opened = await open();
      log = opened.log;
      prefix = `t${randomUUID().replaceAll('-', '')}`;
      stream = `${prefix}-one`;
    });
    afterEach(async () => {
      await log.close();
      await opened.dispose?.();
    });

    const able = (ability: LogAbility, title: string, test: () => Promise<void>): void => {
      const reason = cannot[ability];
      if (reason === undefined) it(title, test);
      else it.skip(`${title} (cannot: ${reason})`, test);
    };
    const faults = (): LogFaults => {
      if (opened.faults === undefined) throw new Error(`${name} gives no faults and does not say why`);
      return opened.faults;
    };

    describe('append and read', () => {
      it('gives back what was stored, with revision, position and time', async () => {
        const events = [event({ text: 'é "\u2028" 😀' }), event({ nested: [1, null, { a: true }] })];
        const appended = await log.append(stream, 'no-stream', events);
        const read = await all(log.readStream(stream));
        expect(read).toMatchObject(events.map((given, revision) => ({ ...given, stream, revision })));
        expect(appended).toEqual({ revision: 1, position: read[1]?.position });
        expect(Math.abs((read[0]?.recordedAt ?? 0) - Date.now())).toBeLessThan(3_600_000);
      });

      it('numbers each stream from 0 and orders all streams together', async () => {
        for (let round = 0; round < 3; round++) {
          await log.append(`${prefix}-a`, 'any', [event(), event()]);
          await log.append(`${prefix}-b`, 'any', [event()]);
        }
        const read = await all(log.readAll({ streamPrefixes: [prefix] }));
        expect(read.filter((e) => e.stream.endsWith('a')).map((e) => e.revision)).toEqual([0, 1, 2, 3, 4, 5]);
        expect(read.filter((e) => e.stream.endsWith('b')).map((e) => e.revision)).toEqual([0, 1, 2]);
        expect(read.map((e) => e.stream.slice(-1)).join('')).toBe('aabaabaab');
        expect(increasing(read.map((e) => e.position))).toBe(true);
      });

      it('reads a missing stream as an empty one', async () => {
        expect(await all(log.readStream(stream))).toEqual([]);
        expect(await all(log.readStream(stream, { direction: 'backwards', limit: 1 }))).toEqual([]);
      });

      it('reads a stream in parts and backwards', async () => {
        await log.append(
          stream,
          'no-stream',
          Array.from({ length: 10 }, () => event()),
        );
        const revisions = async (options: Parameters<EventLog['readStream']>[1]) =>
          (await all(log.readStream(stream, options))).map((e) => e.revision);
        expect(await revisions({ from: 7 })).toEqual([7, 8, 9]);
        expect(await revisions({ from: 2, limit: 3 })).toEqual([2, 3, 4]);
        expect(await revisions({ direction: 'backwards', limit: 2 })).toEqual([9, 8]);
        expect(await revisions({ direction: 'backwards', from: 1 })).toEqual([1, 0]);
        expect(await revisions({ from: 10 })).toEqual([]);
      });

      it('reads all streams after a position, backwards, limited and by prefix', async () => {
        for (let n = 0; n < 4; n++) await log.append(`${prefix}-${'abca'[n]}`, 'any', [event({ n })]);
        const streamPrefixes = [prefix];
        const read = await all(log.readAll({ streamPrefixes }));
        const ns = async (options: Parameters<EventLog['readAll']>[0]) => numbers(await all(log.readAll(options)));
        const second = read[1]?.position ?? -1;
        expect(await ns({ streamPrefixes, after: second })).toEqual([2, 3]);
        expect(await ns({ streamPrefixes, after: second, limit: 1 })).toEqual([2]);
        expect(await ns({ streamPrefixes, after: second, direction: 'backwards' })).toEqual([0]);
        expect(await ns({ streamPrefixes, direction: 'backwards', limit: 2 })).toEqual([3, 2]);
        expect(await ns({ streamPrefixes: [`${prefix}-a`, `${prefix}-c`] })).toEqual([0, 2, 3]);
        expect(await ns({ streamPrefixes: [`${prefix}-x`] })).toEqual([]);
        expect(numbers((await all(log.readAll({ after: second }))).filter((e) => e.stream.startsWith(prefix)))).toEqual(
          [2, 3],
        );
      });

      it('takes big batches, and refuses an append over 1 MiB whole', async () => {
        await log.append(
          stream,
          'no-stream',
          Array.from({ length: 1500 }, (_, n) => event({ n })),
        );
        await log.append(stream, 1499, [event({ text: 'x'.repeat(900_000) })]);
        const tooMuch = [event(), event({ text: 'x'.repeat(600_000) }), event({ text: 'x'.repeat(600_000) })];
        await expect(log.append(stream, 1500, tooMuch)).rejects.toBeInstanceOf(AppendTooLarge);
        expect((await all(log.readStream(stream))).map((e) => e.revision)).toEqual(
          Array.from({ length: 1501 }, (_, n) => n),
        );
      });

      it('says where its head is', async () => {
        const { position } = await log.append(stream, 'no-stream', [event()]);
        expect(await log.head()).toBeGreaterThanOrEqual(position);
      });

      able('empty log', 'has no head and no event when empty', async () => {
        expect(await log.head()).toBeNull();
        expect(await all(log.readAll())).toEqual([]);
      });

      it('keeps its id', async () => {
        expect(await log.id()).toMatch(/./);
        expect(await log.id()).toBe(await log.id());
      });
    });

    describe('expected revision', () => {
      it('lets one of many writers win and tells the others the actual revision', async () => {
        await log.append(stream, 'no-stream', [event()]);
        const tries = await Promise.allSettled(Array.from({ length: 20 }, () => log.append(stream, 0, [event()])));
        expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const tried of tries) {
          if (tried.status === 'fulfilled') continue;
          expect(tried.reason).toBeInstanceOf(WrongExpectedRevision);
          expect(tried.reason).toMatchObject({ stream, expected: 0, actual: 1 });
        }
        expect(await all(log.readStream(stream))).toHaveLength(2);
      });

      it('refuses no-stream when there is one, and a revision when there is none', async () => {
        await expect(log.append(stream, 3, [event()])).rejects.toMatchObject({
          name: 'WrongExpectedRevision',
          expected: 3,
          actual: 'no-stream',
        });
        await log.append(stream, 'no-stream', [event()]);
        await expect(log.append(stream, 'no-stream', [event()])).rejects.toMatchObject({
          name: 'WrongExpectedRevision',
          expected: 'no-stream',
          actual: 0,
        });
        await expect(log.append(stream, 7, [event()])).rejects.toMatchObject({ expected: 7, actual: 0 });
      });

      it('appends at any revision, from many writers, losing none', async () => {
        await Promise.all(Array.from({ length: 30 }, (_, n) => log.append(stream, 'any', [event({ n })])));
        const read = await all(log.readStream(stream));
        expect(read.map((e) => e.revision)).toEqual(Array.from({ length: 30 }, (_, n) => n));
        expect(new Set(numbers(read)).size).toBe(30);
      });

      it('accepts an append of no events and stores nothing', async () => {
        await log.append(stream, 'no-stream', []);
        expect(await all(log.readStream(stream))).toEqual([]);
        await log.append(stream, 'no-stream', [event()]);
        await log.append(stream, 0, []);
        expect(await all(log.readStream(stream))).toHaveLength(1);
      });
    });

    describe('truncate', () => {
      const revisions = async (): Promise<number[]> => (await all(log.readStream(stream))).map((e) => e.revision);

      it('P6 lets go of what is before a revision, and the stream goes on from its head', async () => {
        await log.append(stream, 'no-stream', [event(), event(), event()]);
        await log.append(`${prefix}-other`, 'no-stream', [event({ n: 1 })]);
        await log.truncate(stream, 2);
        expect(await revisions()).toEqual([2]);
        expect(await log.append(stream, 2, [event()])).toMatchObject({ revision: 3 });
        await log.truncate(stream, 2);
        expect(await revisions()).toEqual([2, 3]);
        expect(numbers(await all(log.readStream(`${prefix}-other`)))).toEqual([1]);
      });

      it('P6 lets go of all of a long stream, which still knows its head', async () => {
        const many = Array.from({ length: 2_100 }, () => event());
        await log.append(stream, 'no-stream', many);
        await log.truncate(stream, 2_100);
        expect(await revisions()).toEqual([]);
        expect(await all(log.readStream(stream, { direction: 'backwards', limit: 1 }))).toEqual([]);
        await expect(log.append(stream, 'no-stream', [event()])).rejects.toMatchObject({ actual: 2_099 });
        expect(await log.append(stream, 2_099, [event()])).toMatchObject({ revision: 2_100 });
        expect(await revisions()).toEqual([2_100]);
      });

      able('reopen', 'P6 still knows after it was opened again', async () => {
        await log.append(stream, 'no-stream', [event(), event()]);
        const { position } = await log.append(`${prefix}-newest`, 'no-stream', [event()]);
        await log.truncate(stream, 2);
        await log.truncate(`${prefix}-newest`, 1);
        log = await opened.reopen!();
        expect(await revisions()).toEqual([]);
        const again = await log.append(stream, 1, [event()]);
        expect(again.revision).toBe(2);
        expect(again.position).toBeGreaterThan(position);
      });

      it('changes nothing where there is no such stream', async () => {
        await log.truncate(stream, 5);
        expect(await log.append(stream, 'any', [event()])).toMatchObject({ revision: expect.any(Number) });
      });
    });

    describe('repeating an append', () => {
      it('P1 answers the same ids at their old revision with the first result', async () => {
        const first = [event(), event()];
        const second = [event(), event()];
        const one = await log.append(stream, 'no-stream', first);
        const two = await log.append(stream, 1, second);
        await expect(log.append(stream, 'no-stream', first)).resolves.toEqual(one);
        await expect(log.append(stream, 1, second)).resolves.toEqual(two);
        expect(await all(log.readStream(stream))).toHaveLength(4);
      });

      it('stores the same ids again at the new head', async () => {
        const events = [event()];
        await log.append(stream, 'no-stream', events);
        expect(await log.append(stream, 0, events)).toMatchObject({ revision: 1 });
        expect(await all(log.readStream(stream))).toHaveLength(2);
      });

      it('refuses the same ids with new ones added, and others at an old revision', async () => {
        const events = [event(), event()];
        await log.append(stream, 'no-stream', events);
        await expect(log.append(stream, 'no-stream', [...events, event()])).rejects.toBeInstanceOf(
          WrongExpectedRevision,
        );
        await expect(log.append(stream, 'no-stream', [event(), ...events])).rejects.toBeInstanceOf(
          WrongExpectedRevision,
        );
        expect(await all(log.readStream(stream))).toHaveLength(2);
      });

      it('recognises a repetition at any revision soon after', async () => {
        const events = [event(), event()];
        const one = await log.append(stream, 'any', events);
        expect(await log.append(stream, 'any', events)).toEqual(one);
        expect(await all(log.readStream(stream))).toHaveLength(2);
      });

      able('unknown outcome', 'P1 resolves an append that was not stored by repeating it', async () => {
        await log.append(stream, 'no-stream', [event({ n: 0 })]);
        await faults().cutBeforeStore();
        expect(await log.append(stream, 0, [event({ n: 1 })])).toMatchObject({ revision: 1 });
        expect(numbers(await all(log.readStream(stream)))).toEqual([0, 1]);
      });

      able('unknown outcome', 'P1 resolves an append that was stored unanswered, storing it once', async () => {
        await log.append(stream, 'no-stream', [event({ n: 0 })]);
        await faults().cutAfterStore();
        expect(await log.append(stream, 0, [event({ n: 1 })])).toMatchObject({ revision: 1 });
        expect(numbers(await all(log.readStream(stream)))).toEqual([0, 1]);
      });
    });

    describe('subscribe', () => {
      /** Numbers of this test's events as they come, until `done`. */
      const follow = async (
        options: Omit<SubscribeOptions, 'signal'>,
        done: (read: readonly RecordedEvent[]) => boolean,
        perBatch?: () => Promise<unknown>,
      ): Promise<readonly RecordedEvent[]> => {
        const read: RecordedEvent[] = [];
        for await (const message of log.subscribe(options)) {
          if (message.kind !== 'events') continue;
          read.push(...message.events.filter((e) => e.stream.startsWith(prefix)));
          if (done(read)) break;
          await perBatch?.();
        }
        return read;
      };
      const write = async (writer: string, count: number): Promise<void> => {
        for (let n = 0; n < count; n++)
          await log.append(`${prefix}-${writer}`, n === 0 ? 'no-stream' : n - 1, [event({ n })]);
      };
      const identities = (events: readonly RecordedEvent[]) => events.map((e) => e.id);

      it('delivers each event once and in order while many write', async () => {
        await write('before', 20);
        const filtered = follow({ after: null, streamPrefixes: [prefix] }, (read) => read.length >= 140);
        const unfiltered = follow({ after: await startOf(log, prefix) }, (read) => read.length >= 140);
        await Promise.all(['a', 'b', 'c', 'd'].map((writer) => write(writer, 30)));
        const stored = identities(await all(log.readAll({ streamPrefixes: [prefix] })));
        expect(identities(await filtered)).toEqual(stored);
        expect(identities(await unfiltered)).toEqual(stored);
      });

      it('waits for a subscriber slower than the writer', async () => {
        const slow = follow(
          { after: null, streamPrefixes: [prefix] },
          (read) => read.length >= 400,
          () => new Promise((resolve) => setTimeout(resolve, 20)),
        );
        for (let n = 0; n < 40; n++) {
          await log.append(
            stream,
            'any',
            Array.from({ length: 10 }, (_, m) => event({ n: n * 10 + m })),
          );
        }
        expect(numbers(await slow)).toEqual(Array.from({ length: 400 }, (_, n) => n));
      });

      it('starts after a position and keeps to its prefixes', async () => {
        const { position } = await log.append(`${prefix}-a`, 'any', [event({ n: 0 })]);
        await log.append(`${prefix}-b`, 'any', [event({ n: 1 })]);
        await log.append(`${prefix}-a`, 'any', [event({ n: 2 })]);
        const live = follow({ after: position, streamPrefixes: [`${prefix}-a`] }, (read) => read.length >= 2);
        await log.append(`${prefix}-b`, 'any', [event({ n: 3 })]);
        await log.append(`${prefix}-a`, 'any', [event({ n: 4 })]);
        expect(numbers(await live)).toEqual([2, 4]);
      });

      it('says that it has caught up, having reached the head', async () => {
        const { position: start } = await log.append(stream, 'no-stream', [event()]);
        const { position: head } = await log.append(stream, 0, [event()]);
        let reached = start;
        for await (const message of log.subscribe({ after: start })) {
          if (message.kind === 'events') reached = message.events.at(-1)?.position ?? reached;
          else reached = Math.max(reached, message.position ?? reached);
          if (message.kind === 'caught-up') break;
        }
        expect(reached).toBeGreaterThanOrEqual(head);
      });

      it('ends when its signal aborts, before or while waiting', async () => {
        const controller = new AbortController();
        for await (const message of log.subscribe({ after: await log.head(), signal: controller.signal })) {
          if (message.kind === 'caught-up') setImmediate(() => controller.abort());
        }
        const kinds = await all(log.subscribe({ after: null, signal: AbortSignal.abort() }));
        expect(kinds).toEqual([]);
      });

      able('reconnect', 'resumes after the connection dropped, without loss or repeat', async () => {
        const live = follow({ after: null, streamPrefixes: [prefix] }, (read) => read.length >= 60);
        for (let round = 0; round < 3; round++) {
          await write(`r${round}`, 10);
          await faults().dropSubscriptions();
          await write(`s${round}`, 10);
        }
        expect(identities(await live)).toEqual(identities(await all(log.readAll({ streamPrefixes: [prefix] }))));
      });
    });

    describe('another leader', () => {
      const changeLeader = async (): Promise<void> => {
        const change = faults().changeLeader;
        if (change === undefined) throw new Error(`${name} changes no leader and does not say why`);
        await change.call(faults());
      };

      able('change of leader', 'P4 is read at once, then written to, as if nothing had been', async () => {
        await log.append(stream, 'no-stream', [event({ n: 0 })]);
        await changeLeader();
        expect(numbers(await all(log.readStream(stream)))).toEqual([0]);
        await changeLeader();
        expect(await log.head()).not.toBeNull();
        await changeLeader();
        expect(await log.append(stream, 0, [event({ n: 1 })])).toMatchObject({ revision: 1 });
        await changeLeader();
        expect(numbers(await all(log.readAll({ streamPrefixes: [prefix] })))).toEqual([0, 1]);
      });

      able('change of leader', 'P1 stores once each what was under way, and a subscriber hears all of it', async () => {
        const heard = (async () => {
          const ids: string[] = [];
          for await (const message of log.subscribe({ after: null, streamPrefixes: [prefix] })) {
            if (message.kind === 'events') ids.push(...message.events.map(({ id }) => id));
            if (ids.length >= 60) break;
          }
          return ids;
        })();
        const writing = ['a', 'b', 'c'].map(async (writer) => {
          for (let n = 0; n < 20; n++)
            await log.append(`${prefix}-${writer}`, n === 0 ? 'no-stream' : n - 1, [event()]);
        });
        for (let changes = 0; changes < 5; changes++) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          await changeLeader();
        }
        await Promise.all(writing);
        const stored = (await all(log.readAll({ streamPrefixes: [prefix] }))).map(({ id }) => id);
        expect(stored).toHaveLength(60);
        expect(await heard).toEqual(stored);
      });
    });

    describe('close', () => {
      it('ends subscriptions, and refuses appends as surely not stored', async () => {
        const ended = (async () => {
          for await (const message of log.subscribe({ after: await log.head() })) {
            if (message.kind === 'caught-up') setImmediate(() => void log.close());
          }
        })();
        await ended;
        await expect(log.append(stream, 'any', [event()])).rejects.toBeInstanceOf(LogUnavailable);
      });

      able('reopen', 'P1 finds everything again when opened again', async () => {
        const id = await log.id();
        await log.append(stream, 'no-stream', [event({ n: 0 }), event({ n: 1 })]);
        if (opened.reopen === undefined) throw new Error(`${name} cannot reopen and does not say why`);
        log = await opened.reopen();
        expect(await log.id()).toBe(id);
        expect(numbers(await all(log.readStream(stream)))).toEqual([0, 1]);
        expect(await log.append(stream, 1, [event()])).toMatchObject({ revision: 2 });
      });
    });
  });
}

function event(data: Record<string, unknown> = {}): NewEvent {
  const metadata = { $correlationId: 'request', $causationId: 'test', schema: 1 };
  return { id: randomUUID(), type: 'Tested', data, metadata };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const numbers = (events: readonly RecordedEvent[]) => events.map((e) => (e.data as { n?: number }).n);

const increasing = (values: readonly number[]) =>
  values.every((value, n) => n === 0 || value > (values[n - 1] ?? value));

/** The position just before this test's first event. */
async function startOf(log: EventLog, prefix: string): Promise<number | null> {
  for await (const first of log.readAll({ streamPrefixes: [prefix], limit: 1 })) {
    for await (const before of log.readAll({ after: first.position, direction: 'backwards', limit: 1 })) {
      return before.position;
    }
  }
  return null;
}
