import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import type { Appended, ExpectedRevision, NewEvent, RecordedEvent } from '../event-log/event-log.ts';
import { OutcomeUnknown } from '../event-log/event-log.ts';
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
const use = (request_id: string): TokenUse => ({
  token: 't',
  workspace: 'w',
  time: '2026-01-01T00:00:00.000Z',
  face: 'rest',
  operation: 'who_am_i',
  resource: null,
  decision: 'allowed',
  reason: null,
  status: 200,
  duration_ms: 1,
  request_id,
  client_address: '127.0.0.1',
  client_name: 'test',
  budget: 'reads',
  cost: 1,
  window_second: 1,
});

const all = async (log: MemoryEventLog): Promise<RecordedEvent[]> => Array.fromAsync(log.readAll());

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
    expect((await all(log.current)).map(({ data }) => (data as TokenUse).request_id)).toEqual(['r1']);
  });

  it('P1 shares one append among all that gather, in order, one writer to a stream', async () => {
    const journal = new UsageJournal(log.current);
    const ids = Array.from({ length: 500 }, (_, index) => `r${index}`);
    await Promise.all(ids.map((id) => journal.record(use(id), metadata)));
    expect(log.current.appends).toBeLessThanOrEqual(2);
    const events = await all(log.current);
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
    expect(new Set((await all(log.current)).map(({ stream }) => stream)).size).toBe(2);
  });

  it('P11 holds 10,000 at most: one more is refused at once', async () => {
    const journal = new UsageJournal(log.current);
    let release = (): void => undefined;
    log.current.gate = new Promise((resolve) => (release = resolve));
    const held = Array.from({ length: 10_000 }, (_, index) => journal.record(use(`r${index}`), metadata));
    await expect(journal.record(use('over'), metadata)).rejects.toThrow('the journal is full');
    release();
    await Promise.all(held);
  });

  it('writes what it holds before it closes, and takes nothing more', async () => {
    const journal = new UsageJournal(log.current);
    const recording = journal.record(use('last'), metadata);
    await journal.close();
    await recording;
    await expect(journal.record(use('late'), metadata)).rejects.toThrow(UseNotRecorded);
    expect(await all(log.current)).toHaveLength(1);
  });
});
