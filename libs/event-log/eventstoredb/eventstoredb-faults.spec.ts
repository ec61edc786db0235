import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventStoreDouble } from '../../../test/doubles/eventstoredb/server.ts';
import type { EventLog, NewEvent } from '../event-log.ts';
import { openEventStoreLog } from './eventstore-log.ts';

describe('EventStoreDB that fails (double)', () => {
  let double: EventStoreDouble;
  let log: EventLog;

  beforeEach(async () => {
    double = await new EventStoreDouble().start();
    log = await openEventStoreLog({ connectionString: double.connectionString, deadlineMs: 300 });
  });
  afterEach(async () => {
    await log.close();
    double.stop();
  });

  it('P4 refuses while the server is stopped, and works again with it', async () => {
    await log.append('one', 'no-stream', [event()]);
    double.stop();
    await expect(log.head()).rejects.toMatchObject({ name: 'LogUnavailable' });
    await expect(log.append('one', 0, [event()])).rejects.toMatchObject({
      name: expect.stringMatching(/^(LogUnavailable|OutcomeUnknown)$/),
    });
    await double.start();
    expect(await log.append('one', 0, [event()])).toMatchObject({ revision: 1 });
    expect(double.store.all).toHaveLength(2);
  }, 15_000);

  it('P1 stores once each what was in flight when the server was killed', async () => {
    double.delayAppendsMs = 5;
    const appends = Array.from({ length: 20 }, (_, n) => log.append(`s${n}`, 'no-stream', [event()]));
    const settled = Promise.allSettled(appends);
    await delay(40);
    double.stop();
    await double.start();
    expect(new Set((await settled).map(({ status }) => status))).toEqual(new Set(['fulfilled']));
    expect(new Set(double.store.all.map(({ stream }) => stream)).size).toBe(20);
    expect(double.store.all).toHaveLength(20);
  });

  it('P1 answers the first result when others wrote behind an append of unknown outcome', async () => {
    await log.append('one', 'no-stream', [event()]);
    double.cutAfterStore();
    const mine = log.append('one', 0, [event()]);
    while (double.store.all.length < 2) await delay(1);
    double.store.append('one', 1, [stored()]);
    expect(await mine).toMatchObject({ revision: 1 });
    expect(double.store.all).toHaveLength(3);
  });

  it('tells a conflict with another from its own append after an unknown outcome', async () => {
    await log.append('one', 'no-stream', [event()]);
    double.cutBeforeStore();
    const mine = log.append('one', 0, [event()]);
    while (double.appendCount < 2) await delay(1);
    double.store.append('one', 0, [stored()]);
    await expect(mine).rejects.toMatchObject({ name: 'WrongExpectedRevision', actual: 1 });
  });

  it('gives up on an answer that never comes, as of unknown outcome', async () => {
    double.delayAppendsMs = 20_000;
    await expect(log.append('one', 'no-stream', [event()])).rejects.toMatchObject({ name: 'OutcomeUnknown' });
  }, 15_000);

  it('knows a tombstoned stream, and lets a soft-deleted one go on', async () => {
    for (const stream of ['soft', 'hard']) await log.append(stream, 'no-stream', [event()]);
    double.store.delete('soft', 'soft-deleted');
    double.store.delete('hard', 'tombstoned');
    expect(await Array.fromAsync(log.readStream('soft'))).toEqual([]);
    expect(await log.append('soft', 'no-stream', [event()])).toMatchObject({ revision: 1 });
    await expect(log.append('hard', 'any', [event()])).rejects.toMatchObject({ name: 'StreamDeleted' });
    await expect(Array.fromAsync(log.readStream('hard'))).rejects.toMatchObject({ name: 'StreamDeleted' });
  });

  it('says by checkpoint how far a filtered subscription has passed over others', async () => {
    for (let n = 0; n < 3; n++) await log.append(`other-${n}`, 'no-stream', [event()]);
    const head = await log.head();
    for await (const message of log.subscribe({ after: null, streamPrefixes: ['mine-'] })) {
      expect(message).toEqual({ kind: 'checkpoint', position: head });
      break;
    }
  });
});

function event(): NewEvent {
  return {
    id: randomUUID(),
    type: 'Tested',
    data: {},
    metadata: { $correlationId: 'r', $causationId: 't', schema: 1 },
  };
}

function stored() {
  const empty = new TextEncoder().encode('{}');
  return { id: randomUUID(), type: 'Tested', contentType: 'application/json', data: empty, metadata: empty };
}
