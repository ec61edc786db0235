import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { type AppendContext, type Decider, decideAndAppend, type Idempotency, refuse } from './decide-and-append.ts';
import { type EventLog, LogUnavailable, type NewEvent } from './event-log.ts';

interface Added {
  readonly type: 'Added';
  readonly data: { readonly amount: number; readonly sum: number };
}

/** A counter that goes up to 10. Each event tells the sum its decision saw, so that a stale decision shows. */
const counter: Decider<readonly number[], number, Added, 'too much'> = {
  initialState: 0,
  evolve: (sum, { data }) => sum + data.amount,
  decide: (amounts, sum) => {
    const events: Added[] = [];
    for (const amount of amounts) events.push({ type: 'Added', data: { amount, sum: (sum += amount) } });
    return sum > 10 ? refuse('too much') : events;
  },
};

const STREAM = 'counter-1';

describe('decideAndAppend', () => {
  it('appends what was decided, after what was stored', async () => {
    const log = new MemoryEventLog();
    await add(log, [1, 2]);
    const outcome = await add(log, [3]);
    expect(outcome).toMatchObject({ kind: 'done', state: 6, revision: 2, position: 3, repeated: false });
    expect(await sums(log)).toEqual([1, 3, 6]);
  });

  it('appends nothing when nothing is to change', async () => {
    const log = new MemoryEventLog();
    await add(log, [1]);
    const outcome = await add(log, []);
    expect(outcome).toMatchObject({ kind: 'done', events: [], state: 1, revision: 0, position: null });
    expect(await sums(log)).toEqual([1]);
  });

  it('appends nothing when it refuses', async () => {
    const log = new MemoryEventLog();
    await add(log, [9]);
    expect(await add(log, [1, 1])).toEqual({ kind: 'refused', refusal: 'too much' });
    expect(await sums(log)).toEqual([9]);
  });

  it('decides again on the new state after a conflict', async () => {
    const log = new MemoryEventLog();
    const { rivals, beforeAppend } = overtakenBy(log, 2);
    expect(await add(log, [5], { beforeAppend })).toMatchObject({ kind: 'done', state: 7, revision: 2 });
    expect(rivals()).toBe(2);
    expect(await sums(log)).toEqual([1, 2, 7]);
  });

  it('refuses after a conflict what the new state forbids', async () => {
    const log = new MemoryEventLog();
    const { beforeAppend } = overtakenBy(log, 1);
    expect(await add(log, [10], { beforeAppend })).toEqual({ kind: 'refused', refusal: 'too much' });
    expect(await sums(log)).toEqual([1]);
  });

  it('tries three times, then answers the conflict', async () => {
    const log = new MemoryEventLog();
    const { rivals, beforeAppend } = overtakenBy(log, 9);
    expect(await add(log, [5], { beforeAppend })).toEqual({ kind: 'conflict', revision: 2 });
    expect(rivals()).toBe(3);
    expect(await sums(log)).toEqual([1, 2, 3]);
  });

  it.each([-1, 1, 7])(
    'answers a conflict when the stream is at 0, not at the revision %i the caller saw',
    async (ifRevision) => {
      const log = new MemoryEventLog();
      await add(log, [1]);
      expect(await add(log, [5], { ifRevision })).toEqual({ kind: 'conflict', revision: 0 });
      expect(await sums(log)).toEqual([1]);
    },
  );

  it('does not retry a conflict with the revision the caller saw', async () => {
    const log = new MemoryEventLog();
    await add(log, [1]);
    const { rivals, beforeAppend } = overtakenBy(log, 1);
    expect(await add(log, [5], { ifRevision: 0, beforeAppend })).toEqual({ kind: 'conflict', revision: 1 });
    expect(rivals()).toBe(1);
  });

  it('P2 appends nothing when the caller may no longer write', async () => {
    const log = new MemoryEventLog();
    const revoked = new Error('revoked');
    const beforeAppend = () => Promise.reject(revoked);
    await expect(add(log, [1], { beforeAppend })).rejects.toBe(revoked);
    expect(await sums(log)).toEqual([]);
  });

  it('P2 asks again before a retry whether the caller may write', async () => {
    const log = new MemoryEventLog();
    const { rivals, beforeAppend: overtaken } = overtakenBy(log, 1);
    const beforeAppend = async () => {
      if (rivals() > 0) throw new Error('revoked');
      await overtaken();
    };
    await expect(add(log, [5], { beforeAppend })).rejects.toThrow('revoked');
    expect(await sums(log)).toEqual([1]);
  });

  it('passes on what the log suffers, without a second try', async () => {
    const log = new MemoryEventLog();
    let asked = 0;
    const beforeAppend = async () => {
      asked++;
      log.append = () => Promise.reject(new LogUnavailable('gone'));
    };
    await expect(add(log, [1], { beforeAppend })).rejects.toBeInstanceOf(LogUnavailable);
    expect(asked).toBe(1);
  });
});

describe('decideAndAppend under an Idempotency-Key', () => {
  it('answers the first result, whatever came after', async () => {
    const log = new MemoryEventLog();
    await add(log, [1]);
    const first = await add(log, [2, 3], keyed('k', 'd'));
    await add(log, [4]);
    expect(await add(log, [2, 3], keyed('k', 'd'))).toEqual({ ...first, events: expect.anything(), repeated: true });
    expect(await add(log, [2, 3], keyed('k', 'd'))).toMatchObject({
      events: [{ data: { amount: 2 } }, { data: { amount: 3 } }],
    });
    expect(await sums(log)).toEqual([1, 3, 6, 10]);
  });

  it('answers the first result even at a revision the caller saw before it', async () => {
    const log = new MemoryEventLog();
    await add(log, [1]);
    await add(log, [2], { ...keyed('k', 'd'), ifRevision: 0 });
    const again = await add(log, [2], { ...keyed('k', 'd'), ifRevision: 0 });
    expect(again).toMatchObject({ kind: 'done', revision: 1, repeated: true });
  });

  it('refuses the key with another input', async () => {
    const log = new MemoryEventLog();
    await add(log, [1], keyed('k', 'd'));
    expect(await add(log, [2], keyed('k', 'other'))).toEqual({ kind: 'key-reused' });
    expect(await sums(log)).toEqual([1]);
  });

  it('keeps keys apart', async () => {
    const log = new MemoryEventLog();
    await add(log, [1], keyed('k', 'd'));
    expect(await add(log, [1], keyed('l', 'd'))).toMatchObject({ kind: 'done', repeated: false });
    expect(await sums(log)).toEqual([1, 2]);
  });

  it('lets one of two at once do it, and tells the other what was stored', async () => {
    const log = new MemoryEventLog();
    const [one, two] = await Promise.all([add(log, [1], keyed('k', 'd')), add(log, [1], keyed('k', 'd'))]);
    expect([one, two].map((outcome) => outcome.kind === 'done' && outcome.repeated)).toEqual([false, true]);
    expect(await sums(log)).toEqual([1]);
  });

  it('refuses one of two at once with different inputs', async () => {
    const log = new MemoryEventLog();
    const [one, two] = await Promise.all([add(log, [1], keyed('k', 'd')), add(log, [2], keyed('k', 'other'))]);
    expect([one.kind, two.kind]).toEqual(['done', 'key-reused']);
    expect(await sums(log)).toEqual([1]);
  });
});

function add(log: EventLog, amounts: readonly number[], context: Partial<AppendContext> = {}) {
  const metadata = { $correlationId: randomUUID(), $causationId: 'test', schema: 1 };
  return decideAndAppend(log, STREAM, counter, amounts, { eventId: () => randomUUID(), metadata, ...context });
}

function keyed(key: string, digest: string): Pick<AppendContext, 'eventId' | 'metadata'> {
  const idempotency: Idempotency = { key, digest };
  const metadata = { $correlationId: randomUUID(), $causationId: 'test', schema: 1, idempotency };
  return { eventId: (index) => `${key}:${index}`, metadata };
}

/** A rival that adds 1 just before each of the first `times` appends. */
function overtakenBy(log: EventLog, times: number) {
  let rivals = 0;
  const beforeAppend = async (): Promise<void> => {
    if (rivals === times) return;
    rivals++;
    const event: NewEvent = {
      id: randomUUID(),
      type: 'Added',
      data: { amount: 1, sum: rivals },
      metadata: { $correlationId: 'rival', $causationId: 'test', schema: 1 },
    };
    await log.append(STREAM, 'any', [event]);
  };
  return { rivals: () => rivals, beforeAppend };
}

async function sums(log: EventLog): Promise<number[]> {
  const found: number[] = [];
  for await (const { data } of log.readStream(STREAM)) found.push((data as Added['data']).sum);
  return found;
}
