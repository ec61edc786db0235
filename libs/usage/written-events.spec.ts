import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { v5 } from 'uuid';
import { EventStoreDouble } from '../../test/doubles/eventstoredb/server.ts';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { type AppendContext, decideAndAppend, type Decider } from '../event-log/decide-and-append.ts';
import {
  type Appended,
  type EventLog,
  type ExpectedRevision,
  LogUnavailable,
  MAX_APPEND_BYTES,
  type NewEvent,
  OutcomeUnknown,
  type RecordedEvent,
} from '../event-log/event-log.ts';
import { openEventStoreLog } from '../event-log/eventstoredb/eventstore-log.ts';
import { openSqliteEventLog } from '../event-log/sqlite/sqlite-event-log.ts';
import { canonicalEvent } from '../proof/canonical-event.ts';
import { type CountedIn, tallyName, type UsesTallied, type WrittenTally } from '../proof/tally.ts';
import { CompletenessCheck, type Untallied } from '../proof/verify-completeness.ts';
import { closeAbandonedJournals } from './close-abandoned-journals.ts';
import { UsageJournal } from './journal.ts';
import { madeUse } from '../../test/support/made-use.ts';

const [MINE, OTHER] = ['01MINE', '01OTHER'];

type Fate = 'stored' | 'stored late' | 'refused' | 'stored, and not told' | 'lost, and not told';

/** A log whose appends to notes can be held up and cut. */
class TroubledLog extends MemoryEventLog {
  readonly fates: Fate[] = [];
  gate: Promise<void> = Promise.resolve();

  override async append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended> {
    if (!stream.startsWith('note-')) return await super.append(stream, expected, events);
    const fate = this.fates.shift() ?? 'stored';
    await this.gate;
    if (fate === 'stored late') await sleep(4);
    if (fate === 'refused') throw new LogUnavailable('full');
    const appended = fate === 'lost, and not told' ? null : await super.append(stream, expected, events);
    if (appended === null || fate === 'stored, and not told') throw new OutcomeUnknown('cut');
    return appended;
  }
}

/** The log to a process, until that is killed. */
class LogOfProcess extends MemoryEventLog {
  killed = false;
  /** It is killed once it has tallied this period. */
  lastThrough = Infinity;
  readonly #log: MemoryEventLog;

  constructor(log: MemoryEventLog) {
    super();
    this.#log = log;
  }

  override async append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended> {
    if (this.killed) throw new LogUnavailable('killed');
    const [first] = events as readonly NewEvent<string, { readonly written?: WrittenTally }>[];
    if (first?.data.written?.through === this.lastThrough) this.killed = true;
    return await this.#log.append(stream, expected, events);
  }

  override readStream(...asked: Parameters<MemoryEventLog['readStream']>): AsyncIterable<RecordedEvent> {
    return this.#log.readStream(...asked);
  }
}

const NAMESPACE = '6f9619ff-8b86-4d11-b42d-00c04fc964ff';

const openSqlite = async (): Promise<{ log: EventLog; close(): Promise<void> }> => {
  const directory = mkdtempSync(join(tmpdir(), 'writ-written-'));
  const log = await openSqliteEventLog({ directory });
  const close = async (): Promise<void> => {
    await log.close();
    rmSync(directory, { recursive: true });
  };
  return { log, close };
};

const openEventStoreDouble = async (): Promise<{ log: EventLog; close(): Promise<void> }> => {
  const double = new EventStoreDouble();
  await double.start();
  const log = await openEventStoreLog({ connectionString: double.connectionString });
  const close = async (): Promise<void> => {
    await log.close();
    await double.stop();
  };
  return { log, close };
};

const use = madeUse({ token: OTHER, time: '2026-01-01T00:00:00.000Z', request_id: 'u' });

type Noted = { readonly type: 'Noted'; readonly data: { readonly text: string } };
const notes: Decider<string, number, Noted, never> = {
  initialState: 0,
  decide: (text) => [{ type: 'Noted', data: { text } }],
  evolve: (count) => count + 1,
};

describe('what calls write', () => {
  let log: TroubledLog;
  let journal: UsageJournal;
  let requests = 0;

  beforeEach(() => {
    log = new TroubledLog();
    journal = new UsageJournal(log, { tallyEveryMs: 20 });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** As the gate gives it to an operation. */
  const contextOf = (token: string, by: UsageJournal, key?: string): AppendContext => {
    const request = `r${requests++}`;
    const idempotency = key === undefined ? {} : { idempotency: { key, digest: key } };
    const actor = { person: { id: 'p', name: 'P' }, token, label: 'l', face: 'rest' };
    return {
      eventId: (index) => (key === undefined ? randomUUID() : v5(`${key}-${index}`, NAMESPACE)),
      metadata: { $correlationId: request, $causationId: request, schema: 1, actor, use: { token }, ...idempotency },
      count: (stream, expected, events) => by.count(stream, expected, events),
    };
  };
  const write = (token: string, note: string, { by = journal, key }: { by?: UsageJournal; key?: string } = {}) =>
    decideAndAppend(log, `note-${note}`, notes, 'text', contextOf(token, by, key));

  const all = (): Promise<RecordedEvent[]> => Array.fromAsync(log.readAll());
  const written = async (): Promise<RecordedEvent[]> => (await all()).filter(({ type }) => type === 'Noted');
  const journalOf = ({ metadata }: RecordedEvent): CountedIn => metadata['counted_in'] as CountedIn;
  const tallies = async (): Promise<UsesTallied['data'][]> =>
    (await all()).filter(({ type }) => type === 'UsesTallied').map(({ data }) => data as UsesTallied['data']);
  const counted = async (token: string): Promise<number> =>
    (await tallies()).reduce((sum, tally) => sum + (tally.written?.tokens[tallyName(token)]?.count ?? 0), 0);
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    for (let tries = 0; !(await holds()); tries++) {
      if (tries > 1_000) throw new Error('it never came');
      await sleep(5);
    }
  };

  /** What a verifier says of a token's export; of one that leaves out an event, too. */
  async function verified(
    token: string,
    leftOut?: string,
  ): Promise<{ wrong: readonly string[]; untallied: Untallied }> {
    const check = new CompletenessCheck(token, undefined, undefined);
    for (const event of await all()) if (event.id !== leftOut) check.event(canonicalEvent(event));
    return { wrong: check.finish().map(({ reason }) => reason), untallied: check.untallied() };
  }

  it('P9 is tallied within the period, where nothing else is recorded; the journal is in the registry before', async () => {
    await Promise.all([write(MINE, 'a'), write(OTHER, 'b'), write(MINE, 'c')]);
    const types = (await all()).map(({ type }) => type);
    expect(types).toEqual(['JournalOpened', 'Noted', 'Noted', 'Noted']);
    await until(async () => (await tallies()).length > 0);
    expect([await counted(MINE), await counted(OTHER)]).toEqual([2, 1]);
    expect(await verified(MINE)).toMatchObject({ wrong: [], untallied: { events: 0, openJournals: 1 } });
    for (const { id, metadata } of await written()) {
      const { token } = metadata['actor'] as { token: string };
      expect((await verified(token, id)).wrong).toEqual([expect.stringMatching(/events that calls wrote/)]);
    }
    await journal.close();
    expect(await verified(MINE)).toMatchObject({ wrong: [], untallied: { openJournals: 0, since: null } });
  });

  it('P9 what a call did to another token is counted for that one too', async () => {
    const context = contextOf(MINE, journal);
    await decideAndAppend(log, `token-${OTHER}`, notes, 'revoked', context);
    await journal.close();
    expect([await counted(MINE), await counted(OTHER)]).toEqual([1, 1]);
    const [{ id } = { id: '' }] = await written();
    expect((await verified(OTHER)).wrong).toEqual([]);
    expect((await verified(OTHER, id)).wrong).toHaveLength(1);
  });

  it('P9 an append under way when its period ends is waited for by the tally, and by no other append', async () => {
    await write(MINE, 'a');
    let release = (): void => undefined;
    log.gate = new Promise((resolve) => (release = resolve));
    const slow = write(MINE, 'b');
    await sleep(60);
    log.gate = Promise.resolve();
    await write(MINE, 'c');
    await sleep(60);
    expect(await counted(MINE)).toBe(0);
    release();
    await slow;
    await until(async () => (await counted(MINE)) === 3);
    await journal.close();
    expect((await written()).map((event) => journalOf(event).period)).toEqual([0, 1, 0]);
    expect(await verified(MINE)).toMatchObject({ wrong: [], untallied: { events: 0 } });
  });

  it('P9 what was surely not stored is not counted', async () => {
    log.fates.push('refused');
    await expect(write(MINE, 'a')).rejects.toThrow(LogUnavailable);
    await Promise.all([write(MINE, 'a'), write(MINE, 'a')]);
    await journal.close();
    expect(await counted(MINE)).toBe(2);
    expect((await verified(MINE)).wrong).toEqual([]);
  });

  it('P9 an unknown outcome is looked up; one that stays unknown is named, and held against nobody', async () => {
    log.fates.push('stored, and not told', 'lost, and not told');
    await expect(write(MINE, 'a')).rejects.toThrow(OutcomeUnknown);
    await expect(write(MINE, 'b')).rejects.toThrow(OutcomeUnknown);
    await journal.close();
    expect(await counted(MINE)).toBe(1);
    expect((await tallies()).flatMap((tally) => tally.written?.unsettled ?? [])).toHaveLength(1);
    expect((await verified(MINE)).wrong).toEqual([]);
    const [{ id } = { id: '' }] = await written();
    expect((await verified(MINE, id)).wrong).toHaveLength(1);
  });

  it('P9 what another took the place of is settled: it was not stored', async () => {
    log.fates.push('lost, and not told');
    await expect(write(MINE, 'a')).rejects.toThrow(OutcomeUnknown);
    await write(OTHER, 'a');
    await journal.close();
    const told = await tallies();
    expect(told.flatMap((tally) => tally.written?.unsettled ?? [])).toEqual([]);
    expect([await counted(MINE), await counted(OTHER)]).toEqual([0, 1]);
  });

  it('P9 under one Idempotency-Key it is counted once, by the journal it names', async () => {
    const other = new UsageJournal(log);
    const answers = await Promise.all([
      write(MINE, 'a', { key: 'k' }),
      write(MINE, 'a', { key: 'k', by: other }),
      write(MINE, 'a', { key: 'k' }),
    ]);
    answers.push(await write(MINE, 'a', { key: 'k' }));
    expect(
      answers.map((answer) => answer.kind === 'done' && answer.repeated).filter((repeated) => !repeated),
    ).toHaveLength(1);
    await Promise.all([journal.close(), other.close()]);
    expect(await counted(MINE)).toBe(1);
    expect((await verified(MINE)).wrong).toEqual([]);
  });

  it('P9 what a killed process has not tallied is read from the log and tallied, once', async () => {
    await write(MINE, 'a');
    await until(async () => (await counted(MINE)) === 1);
    const process = new LogOfProcess(log);
    const killed = new UsageJournal(process, { tallyEveryMs: 20 });
    for (const note of ['b', 'c']) await write(MINE, note, { by: killed });
    process.killed = true;
    await write(MINE, 'd', { by: journal });
    expect((await verified(MINE)).untallied.events).toBeGreaterThanOrEqual(2);
    await closeAbandonedJournals(log, Date.now() - 60_000);
    expect((await tallies()).some(({ last }) => last)).toBe(false);
    await closeAbandonedJournals(log, Date.now() + 1);
    await closeAbandonedJournals(log, Date.now() + 1);
    expect(await counted(MINE)).toBe(4);
    expect(await verified(MINE)).toMatchObject({ wrong: [], untallied: { events: 0, openJournals: 0 } });
    for (const { id } of await written()) expect((await verified(MINE, id)).wrong).toHaveLength(1);
  });

  it('P9 and so is what a later period wrote before an earlier one was tallied', async () => {
    const process = new LogOfProcess(log);
    process.lastThrough = 2;
    const killed = new UsageJournal(process, { tallyEveryMs: 20 });
    for (const count of [1, 2]) {
      await write(MINE, 'z', { by: killed });
      await until(async () => (await counted(MINE)) === count);
    }
    let release = (): void => undefined;
    log.gate = new Promise((resolve) => (release = resolve));
    const slow = write(MINE, 'a', { by: killed });
    await sleep(60);
    log.gate = Promise.resolve();
    await write(MINE, 'b', { by: killed });
    // Its tally comes while the first period still has an append under way.
    await killed.record(use, { $correlationId: 'u', $causationId: 'u', schema: 1 });
    await until(async () => (await tallies()).length === 3);
    release();
    await slow;
    await until(async () => process.killed);
    expect((await tallies()).map(({ written: of }) => of?.through)).toEqual([0, 1, 1, 2]);
    await closeAbandonedJournals(log, Date.now() + 1);
    expect(await counted(MINE)).toBe(4);
    expect(await verified(MINE)).toMatchObject({ wrong: [], untallied: { events: 0, openJournals: 0 } });
  });

  it('P9 what is stored after its tally, against all odds, is held against nobody', async () => {
    await write(MINE, 'a');
    await until(async () => (await counted(MINE)) === 1);
    const [{ type, data, metadata } = { type: '', data: {}, metadata: contextOf(MINE, journal).metadata }] =
      await written();
    await log.append('note-b', 'no-stream', [{ id: randomUUID(), type, data, metadata }]);
    await write(MINE, 'c');
    await journal.close();
    expect(await verified(MINE)).toMatchObject({ wrong: [], untallied: { events: 1 } });
  });

  it('P9 a journal left out of the registry is missed', async () => {
    for (let process = 0; process < 3; process++) {
      const by = new UsageJournal(log);
      await write(MINE, 'a', { by });
      await by.close();
    }
    const opened = (await all()).filter(({ type }) => type === 'JournalOpened');
    const [, { id: second, data } = { id: '', data: {} }] = opened;
    const check = new CompletenessCheck(MINE, undefined, undefined);
    const { journal: hidden } = data as { journal: string };
    for (const event of await all()) {
      const isOfIt = event.id === second || event.stream === hidden || journalOf(event)?.journal === hidden;
      if (!isOfIt) check.event(canonicalEvent(event));
    }
    expect(check.finish()).toEqual([expect.objectContaining({ journal: 'journals' })]);
  });

  it('P9 a process that others may have taken for dead names another journal', async () => {
    const shared = new UsageJournal(log, { shared: true });
    await write(MINE, 'a', { by: shared });
    const now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now + 6 * 60_000);
    await write(MINE, 'b', { by: shared });
    const [first, second] = (await written()).map((event) => journalOf(event).journal);
    expect(second).not.toBe(first);
    await shared.close();
    expect(await verified(MINE)).toMatchObject({ wrong: [], untallied: { events: 0, openJournals: 0 } });
  });

  it('P9 P11 a tally stays small enough to be stored, however many tokens call', async () => {
    const busy = new UsageJournal(log);
    const tokens = Array.from({ length: 9_000 }, (_, index) => `01TOKEN${index}`);
    for (let from = 0; from < tokens.length; from += 500) {
      const some = tokens.slice(from, from + 500);
      await Promise.all(some.map((token) => write(token, token, { by: busy })));
      // As a log does whose appends take time.
      await setImmediate();
      const metadata = { $correlationId: 'u', $causationId: 'u', schema: 1 };
      await Promise.all(some.map((token) => busy.record({ ...use, token }, metadata)));
    }
    await busy.close();
    const told = (await all()).filter(({ type }) => type === 'UsesTallied');
    expect(new Set(told.map(({ stream }) => stream)).size).toBe(1);
    for (const { data } of told) expect(JSON.stringify(data).length).toBeLessThan(MAX_APPEND_BYTES / 2);
    const counts = told.map(({ data }) => Object.keys((data as UsesTallied['data']).written!.tokens).length);
    expect(counts.reduce((sum, count) => sum + count)).toBe(tokens.length);
  });

  it('P9 of a log in which nobody counted it nothing is claimed, and nothing is wrong', async () => {
    const { count: _, ...context } = contextOf(MINE, journal);
    await decideAndAppend(log, 'note-a', notes, 'text', context);
    expect(await verified(MINE)).toMatchObject({ wrong: [], untallied: { events: 1, openJournals: 0 } });
  });

  it.each([
    ['SQLite', openSqlite],
    ['EventStoreDB (its double)', openEventStoreDouble],
  ])('P9 is counted over %s, by its process and by who comes after it', async (_, open) => {
    const { log: real, close } = await open();
    const append = (token: string, by: UsageJournal, key?: string) =>
      decideAndAppend(real, `note-${token}`, notes, 'text', contextOf(token, by, key));
    const [living, killed] = [new UsageJournal(real), new UsageJournal(real)];
    await Promise.all([append(MINE, living), append(OTHER, living), append(MINE, killed)]);
    await Promise.all([append('01KEYED', living, 'k'), append('01KEYED', killed, 'k')]);
    await living.close();
    const check = async (token: string, leftOut: number | null) => {
      const completeness = new CompletenessCheck(token, undefined, undefined);
      for await (const event of real.readAll()) {
        if (event.position !== leftOut) completeness.event(canonicalEvent(event));
      }
      return { wrong: completeness.finish().length, untallied: completeness.untallied().events };
    };
    expect(await check(MINE, null)).toEqual({ wrong: 0, untallied: 1 });
    await closeAbandonedJournals(real, Date.now() + 60_000);
    const stored = await Array.fromAsync(real.readAll({ streamPrefixes: ['note-'] }));
    expect(stored).toHaveLength(4);
    for (const { metadata, position } of stored) {
      const { token } = metadata['actor'] as { token: string };
      expect(await check(token, null)).toEqual({ wrong: 0, untallied: 0 });
      expect(await check(token, position)).toEqual({ wrong: 1, untallied: 0 });
    }
    await close();
  });

  it('P9 whatever happens, all is tallied in the end, and any one event left out is missed', async () => {
    const fate = fc.constantFrom<Fate>('stored', 'stored', 'stored late', 'refused', 'stored, and not told');
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('write' as const),
          token: fc.constantFrom(MINE, OTHER),
          note: fc.constantFrom('a', 'b', 'c'),
          key: fc.option(fc.constantFrom('k1', 'k2', 'k3'), { nil: undefined }),
          process: fc.constantFrom(0, 1),
          fate,
          awaited: fc.boolean(),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 4 }) }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constantFrom('kill' as const, 'end' as const), process: fc.nat(1) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        log = new TroubledLog();
        const begin = () => {
          const of = new LogOfProcess(log);
          return { log: of, journal: new UsageJournal(of, { tallyEveryMs: 1 }) };
        };
        const processes = [begin(), begin()];
        let running: Promise<unknown>[] = [];
        for (const one of steps) {
          if (one.kind === 'wait') await sleep(one.ms);
          else if (one.kind === 'write') {
            log.fates.push(one.fate);
            const key = one.key && `${one.note}-${one.key}`;
            const writing = write(one.token, one.note, { by: processes[one.process]!.journal, ...(key && { key }) });
            running.push(writing.catch(() => undefined));
            if (one.awaited) await writing.catch(() => undefined);
          } else {
            await Promise.all(running);
            running = [];
            const process = processes[one.process]!;
            if (one.kind === 'end') await process.journal.close();
            else process.log.killed = true;
            processes[one.process] = begin();
          }
        }
        await Promise.all(running);
        await processes[0]!.journal.close();
        processes[1]!.log.killed = true;
        await closeAbandonedJournals(log, Date.now() + 1);
        for (const token of [MINE, OTHER]) {
          expect(await verified(token)).toMatchObject({ wrong: [], untallied: { events: 0, openJournals: 0 } });
        }
        for (const { id, metadata } of await written()) {
          const { token } = metadata['actor'] as { token: string };
          expect((await verified(token, id)).wrong).toHaveLength(1);
        }
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
