import { hash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { madeUse } from '../../test/support/made-use.ts';
import type { Appended, ExpectedRevision, NewEvent, RecordedEvent } from '../event-log/event-log.ts';
import { OutcomeUnknown } from '../event-log/event-log.ts';
import { JOURNALS_STREAM, tallyName, type UsesTallied } from '../proof/tally.ts';
import { closeAbandonedJournals } from './close-abandoned-journals.ts';
import { UsageJournal, UseNotRecorded } from './journal.ts';
import type { TokenUse } from './use.ts';

/** A log that can be held up and made to fail, and counts its appends. */
class TroubledLog extends MemoryEventLog {
  appends = 0;
  failing = false;
  gate: Promise<void> = Promise.resolve();

  override async append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended> {
    this.appends++;
    await this.gate;
    if (this.failing) throw new OutcomeUnknown('cut');
    return super.append(stream, expected, events);
  }
}

const metadata = { $correlationId: 'r', $causationId: 'r', schema: 1 };
const use = (request_id: string): TokenUse => madeUse({ time: '2026-01-01T00:00:00.000Z', request_id });

const all = async (log: MemoryEventLog): Promise<RecordedEvent[]> => Array.fromAsync(log.readAll());
const uses = async (log: MemoryEventLog): Promise<RecordedEvent[]> =>
  (await all(log)).filter(({ type }) => type === 'TokenUsed');
const tallies = async (log: MemoryEventLog): Promise<UsesTallied['data'][]> =>
  (await all(log)).filter(({ type }) => type === 'UsesTallied').map(({ data }) => data as UsesTallied['data']);
const sha256 = (text: string): string => hash('sha256', text, 'hex');

describe('the journal of uses', () => {
  const log = { current: new TroubledLog() };
  afterEach(() => {
    log.current = new TroubledLog();
  });

  it('P1 resolves only once the use is in the log', async () => {
    const journal = new UsageJournal(log.current);
    let release = (): void => undefined;
    log.current.gate = new Promise((resolve) => (release = resolve));
    let recorded = false;
    const recording = journal.record(use('r1'), metadata).then(() => (recorded = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(recorded).toBe(false);
    release();
    await recording;
    expect((await uses(log.current)).map(({ data }) => (data as TokenUse).request_id)).toEqual(['r1']);
  });

  it('P1 shares one append among all that gather, in order, one writer to a stream', async () => {
    const journal = new UsageJournal(log.current);
    const ids = Array.from({ length: 500 }, (_, index) => `r${index}`);
    await Promise.all(ids.map((id) => journal.record(use(id), metadata)));
    // One more opens the journal in the registry.
    expect(log.current.appends).toBeLessThanOrEqual(3);
    const events = await uses(log.current);
    expect(events.map(({ data }) => (data as TokenUse).request_id)).toEqual(ids);
    expect(new Set(events.map(({ stream }) => stream)).size).toBe(1);
    expect(events[0]!.stream).toMatch(/^usage-[0-9A-Z]{26}-\d{4}-\d\d-\d\d$/);
  });

  it('P4 fails its callers when the outcome stays unknown, and goes on in a new segment', async () => {
    const journal = new UsageJournal(log.current);
    await journal.record(use('before'), metadata);
    log.current.failing = true;
    await expect(journal.record(use('lost'), metadata)).rejects.toThrow(UseNotRecorded);
    log.current.failing = false;
    await journal.record(use('after'), metadata);
    expect(new Set((await uses(log.current)).map(({ stream }) => stream)).size).toBe(2);
  });

  it('P11 holds 10,000 at most: one more is refused at once', async () => {
    const journal = new UsageJournal(log.current);
    let release = (): void => undefined;
    log.current.gate = new Promise((resolve) => (release = resolve));
    const held = Array.from({ length: 10_000 }, (_, index) => journal.record(use(`r${index}`), metadata));
    expect(await outcomeNow(journal.record(use('over'), metadata))).toBe('the journal is full');
    release();
    await Promise.all(held);
  });

  it('P4 P11 lets nobody wait behind one that has waited for 2 s', async () => {
    const journal = new UsageJournal(log.current);
    let release = (): void => undefined;
    log.current.gate = new Promise((resolve) => (release = resolve));
    const underWay = journal.record(use('r1'), metadata);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const waiting = journal.record(use('r2'), metadata);
    expect(await outcomeNow(journal.record(use('r3'), metadata))).toBe('waits');
    await new Promise((resolve) => setTimeout(resolve, 2_050));
    expect(await outcomeNow(journal.record(use('late'), metadata))).toBe('the journal is full');
    release();
    await Promise.all([underWay, waiting]);
  });

  it('writes what it holds before it closes, and takes nothing more', async () => {
    const journal = new UsageJournal(log.current);
    const recording = journal.record(use('last'), metadata);
    await journal.close();
    await recording;
    await expect(journal.record(use('late'), metadata)).rejects.toThrow(UseNotRecorded);
    expect(await uses(log.current)).toHaveLength(1);
  });

  it('P9 stands in the registry before its first use, and tallies what it holds at its end', async () => {
    const journal = new UsageJournal(log.current);
    await Promise.all(['r1', 'r2'].map((id) => journal.record(use(id), metadata)));
    await journal.close();
    const events = await all(log.current);
    expect(events.map(({ type }) => type)).toEqual(['JournalOpened', 'TokenUsed', 'TokenUsed', 'UsesTallied']);
    expect(events[0]).toMatchObject({ stream: JOURNALS_STREAM, data: { journal: events[1]!.stream } });
    const ids = sha256(events[1]!.id + events[2]!.id);
    expect(events[3]!.data).toMatchObject({
      from_revision: 0,
      last: true,
      tokens: { [tallyName('t')]: { count: 2, ids } },
    });
  });

  it('P9 tallies every so often, whether calls go on or cease', async () => {
    const journal = new UsageJournal(log.current, { tallyEveryMs: 20 });
    await journal.record(use('r1'), metadata);
    await until(async () => (await tallies(log.current)).length === 1);
    await journal.record(use('r2'), metadata);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await journal.record(use('r3'), metadata);
    await journal.close();
    const found = await tallies(log.current);
    expect(found.map(({ tokens }) => tokens[tallyName('t')]?.count ?? 0).reduce((sum, count) => sum + count)).toBe(3);
    const starts = found.map(({ from_revision }) => from_revision);
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(found.map(({ last }) => last)).toEqual(found.map((_, index) => index === found.length - 1));
  });

  it('P9 what a killed process left is tallied once, by whoever comes after', async () => {
    const killed = new UsageJournal(log.current);
    await killed.record(use('r1'), metadata);
    await closeAbandonedJournals(log.current, Date.now() - 60_000);
    expect(await tallies(log.current)).toEqual([]);
    await closeAbandonedJournals(log.current, Date.now() + 1);
    await closeAbandonedJournals(log.current, Date.now() + 1);
    expect(await tallies(log.current)).toMatchObject([{ last: true, tokens: { [tallyName('t')]: { count: 1 } } }]);
  });

  it('P1 a process taken for dead goes on in a new journal', async () => {
    const journal = new UsageJournal(log.current);
    await journal.record(use('r1'), metadata);
    await closeAbandonedJournals(log.current, Date.now() + 1);
    await journal.record(use('r2'), metadata);
    expect(new Set((await uses(log.current)).map(({ stream }) => stream)).size).toBe(2);
  });
});

/** What has become of it by now. */
const outcomeNow = (recording: Promise<void>): Promise<string> =>
  Promise.race([
    recording.then(
      () => 'recorded',
      (error: Error) => error.message,
    ),
    new Promise<string>((resolve) => setTimeout(() => resolve('waits'), 50)),
  ]);

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
