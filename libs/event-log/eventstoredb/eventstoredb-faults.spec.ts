import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventStoreCluster } from '../../../test/doubles/eventstoredb/cluster.ts';
import { EventStoreDouble } from '../../../test/doubles/eventstoredb/server.ts';
import type { EventLog, NewEvent } from '../event-log.ts';
import { openEventStoreLog } from './eventstore-log.ts';

describe('EventStoreDB that fails (double)', () => {
  let double: EventStoreDouble;
  let log: EventLog;

  beforeEach(async () => {
    double = await new EventStoreDouble().start();
    log = await openEventStoreLog({ connectionString: double.connectionString, deadlineMs: 2_000 });
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
  }, 30_000);

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
  }, 30_000);

  it('knows a tombstoned stream, and lets a soft-deleted one go on', async () => {
    for (const stream of ['soft', 'hard']) await log.append(stream, 'no-stream', [event()]);
    double.store.delete('soft', 'soft-deleted');
    double.store.delete('hard', 'tombstoned');
    expect(await Array.fromAsync(log.readStream('soft'))).toEqual([]);
    expect(await log.append('soft', 'no-stream', [event()])).toMatchObject({ revision: 1 });
    await expect(log.append('hard', 'any', [event()])).rejects.toMatchObject({ name: 'StreamDeleted' });
    await expect(Array.fromAsync(log.readStream('hard'))).rejects.toMatchObject({ name: 'StreamDeleted' });
  });

  it('shows no reader the events the server wrote itself, a tombstone least of all', async () => {
    await log.append('mine-1', 'no-stream', [event()]);
    await log.append('mine-2', 'no-stream', [event()]);
    double.store.delete('mine-1', 'tombstoned');
    double.store.delete('mine-2', 'soft-deleted');
    const { position } = await log.append('mine-3', 'no-stream', [event()]);
    const streams = ['mine-1', 'mine-2', 'mine-3'];
    for (const streamPrefixes of [undefined, ['mine-']]) {
      const options = streamPrefixes === undefined ? {} : { streamPrefixes };
      expect((await Array.fromAsync(log.readAll(options))).map(({ stream }) => stream)).toEqual(streams);
      const heard: string[] = [];
      let reached = 0;
      for await (const message of log.subscribe({ after: null, ...options })) {
        if (message.kind === 'events') heard.push(...message.events.map(({ stream }) => stream));
        if (message.kind === 'caught-up') reached = message.position ?? 0;
        if (reached > 0) break;
      }
      expect(heard).toEqual(streams);
      expect(reached).toBe(position);
    }
  });

  it('appends once the server says what it can do, having failed to at first', async () => {
    double.featuresToFail = 3;
    expect(await log.append('one', 'no-stream', [event()])).toMatchObject({ revision: 0 });
  });

  it('P4 waits for a server that is starting, and knows that nothing was stored', async () => {
    await log.append('one', 'no-stream', [event()]);
    double.notReady = true;
    await expect(log.append('one', 0, [event()])).rejects.toMatchObject({ name: 'LogUnavailable' });
    await expect(log.head()).rejects.toMatchObject({ name: 'LogUnavailable' });
    setTimeout(() => (double.notReady = false), 200);
    const [appended, read] = await Promise.all([
      log.append('one', 0, [event()]),
      Array.fromAsync(log.readStream('one', { limit: 1 })),
    ]);
    expect(appended).toMatchObject({ revision: 1 });
    expect(read).toHaveLength(1);
  }, 40_000);

  it('tells by its own error that a server takes less than we do', async () => {
    double.store.maxAppendSize = 100;
    const large = { ...event(), data: 'x'.repeat(200) };
    await expect(log.append('one', 'no-stream', [large])).rejects.toMatchObject({ name: 'AppendTooLarge' });
  });

  it('goes on reading behind the last event when the connection breaks, either way', async () => {
    const count = 3_000;
    double.store.append('one', 'no-stream', Array.from({ length: count }, stored));
    const numbers = Array.from({ length: count }, (_, n) => n);
    for (const direction of ['forwards', 'backwards'] as const) {
      for (const read of [log.readStream('one', { direction }), log.readAll({ direction })]) {
        const revisions: number[] = [];
        for await (const { revision } of read) {
          if (revisions.push(revision) !== 10) continue;
          double.stop();
          await double.start();
        }
        expect(revisions).toEqual(direction === 'forwards' ? numbers : numbers.toReversed());
      }
    }
  }, 90_000);

  it('takes no read that closing cut short for a whole one', async () => {
    double.store.append('one', 'no-stream', Array.from({ length: 3_000 }, stored));
    const reading = (async () => {
      for await (const { revision } of log.readStream('one')) if (revision === 10) await log.close();
    })();
    await expect(reading).rejects.toMatchObject({ name: 'LogUnavailable' });
  });

  it('closes though reads were left before their end', async () => {
    await log.append('one', 'no-stream', [event(), event(), event()]);
    const reads = Array.from({ length: 50 }, () => Array.fromAsync(log.readStream('one', { limit: 1 })));
    expect((await Promise.all(reads)).every(({ length }) => length === 1)).toBe(true);
    await log.close();
  });

  it('tells a conflict whatever the connection string says of failures', async () => {
    const connectionString = `${double.connectionString}&throwOnAppendFailure=false`;
    const lenient = await openEventStoreLog({ connectionString });
    await lenient.append('one', 'no-stream', [event()]);
    await expect(lenient.append('one', 'no-stream', [event()])).rejects.toMatchObject({
      name: 'WrongExpectedRevision',
      actual: 0,
    });
    await lenient.close();
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

describe('EventStoreDB of which another node leads (doubles)', () => {
  let cluster: EventStoreCluster;
  let log: EventLog;

  beforeEach(async () => {
    cluster = await new EventStoreCluster().start();
    log = await openEventStoreLog({ connectionString: cluster.discoveryString });
  });
  afterEach(async () => {
    await log.close();
    cluster.stop();
  });

  it('asks the leader, and no follower, whatever decides', async () => {
    const { position } = await log.append('one', 'no-stream', [event()]);
    for (let changes = 0; changes < 4; changes++) {
      cluster.elect();
      expect(await Array.fromAsync(log.readStream('one'))).toHaveLength(1);
      cluster.elect();
      expect(await Array.fromAsync(log.readAll())).toHaveLength(1);
      cluster.elect();
      expect(await log.head()).toBe(position);
    }
    expect(cluster.nodes.map(({ answeredAsFollower }) => answeredAsFollower)).toEqual([0, 0, 0]);
  });

  it('P4 waits while there is no leader, and goes on with the next one when the last was killed', async () => {
    const heard: number[] = [];
    const hearing = (async () => {
      for await (const message of log.subscribe({ after: null })) {
        if (message.kind === 'events') heard.push(...message.events.map(({ revision }) => revision));
        if (heard.length === 3) break;
      }
    })();
    await log.append('one', 'no-stream', [event()]);
    cluster.leader?.stop();
    cluster.leader = null;
    setTimeout(() => cluster.elect(), 300);
    expect(await log.append('one', 0, [event()])).toMatchObject({ revision: 1 });
    cluster.leader = null;
    setTimeout(() => cluster.elect(), 300);
    expect(await Array.fromAsync(log.readStream('one'))).toHaveLength(2);
    await log.append('one', 1, [event()]);
    await hearing;
    expect(heard).toEqual([0, 1, 2]);
  });

  it("P1 takes another log's change of leader for no answer to its own append", async () => {
    const double = await new EventStoreDouble().start();
    const other = await openEventStoreLog({ connectionString: double.connectionString });
    await other.append('one', 'no-stream', [event()]);
    await log.append('one', 'no-stream', [event()]);
    double.delayAppendsMs = 300;
    const pending = other.append('one', 0, [event()]);
    pending.catch(() => undefined);
    while (double.appendCount < 2) await delay(1);
    cluster.elect();
    await log.append('one', 0, [event()]);
    double.stop();
    await expect(pending).rejects.toMatchObject({ name: 'OutcomeUnknown' });
    expect(double.store.all).toHaveLength(2);
    await other.close();
  }, 40_000);
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
