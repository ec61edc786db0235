import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventLogContract } from '../../test/contract/event-log.contract.ts';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { MemoryKeyStore } from '../../test/doubles/memory-key-store.ts';
import type { EventLog, NewEvent } from '../event-log/event-log.ts';
import { ERASED } from './erased.ts';
import { mostBytesSealing, personalValuesOf } from './personal-data.ts';
import { PersonKeys } from './person-keys.ts';
import { sealedIn } from './sealed-event.ts';
import { SealedLog } from './sealed-log.ts';

eventLogContract(
  'sealed',
  () => {
    const keys = new PersonKeys(new MemoryKeyStore());
    return Promise.resolve({ log: new SealedLog(new MemoryEventLog(), keys), dispose: () => keys.close() });
  },
  {
    reopen: 'nothing outlives the object',
    reconnect: 'there is no connection',
    'unknown outcome': 'there is no connection',
    'change of leader': 'there is no cluster',
  },
);

const use = (person: string, name: string, address: string): NewEvent => ({
  id: randomUUID(),
  type: 'TokenUsed',
  data: { token: 't', operation: 'list_reports', client_address: address, client_name: 'curl' },
  metadata: {
    $correlationId: 'c',
    $causationId: 'c',
    schema: 1,
    actor: { person: { id: person, name }, token: 't', label: 'ci', face: 'rest' },
  },
});

const all = (log: EventLog) => Array.fromAsync(log.readAll());

describe('a sealed log', () => {
  let store: MemoryKeyStore;
  let stored: MemoryEventLog;
  let keys: PersonKeys;
  let log: SealedLog;
  /** Another process over the same log and keys. */
  let otherKeys: PersonKeys;
  let other: SealedLog;

  beforeEach(() => {
    store = new MemoryKeyStore();
    stored = new MemoryEventLog();
    keys = new PersonKeys(store);
    log = new SealedLog(stored, keys);
    otherKeys = new PersonKeys(store);
    other = new SealedLog(stored, otherKeys);
  });
  afterEach(async () => {
    await keys.close();
    await otherKeys.close();
  });

  it('gives back what was appended, and stores nothing of it in clear', async () => {
    const person = fc.constantFrom('p1', 'p2', 'p3');
    const text = fc.string({ minLength: 12, maxLength: 40, unit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(person, text, text), { minLength: 1, maxLength: 5 }), async (calls) => {
        const events = calls.map(([id, name, address]) => use(id, name, address));
        const { position } = await log.append(`usage-${randomUUID()}`, 'no-stream', events);
        const after = position - events.length;
        for (const one of [log, other]) {
          const read = await Array.fromAsync(one.readAll({ after }));
          expect(read.map(({ id, type, data, metadata }) => ({ id, type, data, metadata }))).toEqual(events);
        }
        const bytes = JSON.stringify(await Array.fromAsync(stored.readAll({ after })));
        for (const [, name, address] of calls) {
          expect(bytes).not.toContain(JSON.stringify(name).slice(1, -1));
          expect(bytes).not.toContain(JSON.stringify(address).slice(1, -1));
        }
      }),
    );
  });

  it('adds no more bytes than it says', async () => {
    const text = fc.string({ maxLength: 60, unit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(4), text), { minLength: 1, maxLength: 40 }), async (names) => {
        const assignees = names.map(([id, name]) => ({ id: `01J9ZK3V8Q6T4W2Y0B7D5F1G3${id}`, name }));
        const event: NewEvent = { ...use('p1', 'Ada', '192.0.2.7'), type: 'TicketAssigned', data: { assignees } };
        const { position } = await log.append(`ticket-${randomUUID()}`, 'no-stream', [event]);
        const [sealed] = await Array.fromAsync(stored.readAll({ after: position - 1 }));
        const bytes = ({ data, metadata }: Pick<NewEvent, 'data' | 'metadata'>): number =>
          Buffer.byteLength(JSON.stringify({ data, metadata }));
        const most = mostBytesSealing(personalValuesOf('ticket-1', event));
        expect(bytes(sealed!) - bytes(event)).toBeLessThanOrEqual(most);
      }),
    );
  });

  it('an append repeated by another process is the same to the byte', async () => {
    const events = [use('p1', 'Ada Lovelace', '192.0.2.7')];
    await log.append('usage-1', 'no-stream', events);
    await other.append('usage-2', 'no-stream', events);
    const [first, second] = await all(stored);
    expect({ data: first!.data, metadata: first!.metadata }).toEqual({
      data: second!.data,
      metadata: second!.metadata,
    });
  });

  it('erased, a person is gone for every process from where it begins to read; others are as they were', async () => {
    await log.append('usage-1', 'no-stream', [use('p1', 'Ada', '192.0.2.7'), use('p2', 'Bo', '192.0.2.8')]);
    expect(await all(other)).toMatchObject([{ data: { client_address: '192.0.2.7' } }, {}]);
    const before = await all(stored);
    expect(await keys.erase('p1')).toBe(true);
    expect(await keys.erase('p1')).toBe(false);
    for (const one of [log, other]) {
      const [ada, bo] = await all(one);
      expect(ada).toMatchObject({
        data: { token: 't', client_address: ERASED, client_name: ERASED },
        metadata: { actor: { person: { id: 'p1', name: ERASED }, label: ERASED } },
      });
      expect(bo).toMatchObject({
        data: { client_address: '192.0.2.8' },
        metadata: { actor: { person: { name: 'Bo' } } },
      });
    }
    expect(await all(stored)).toEqual(before);
  });

  it('nothing of an erased person is kept any more, and they are given no other key', async () => {
    await keys.erase('p1');
    await other.append('usage-1', 'no-stream', [use('p1', 'Ada', '192.0.2.7')]);
    const [event] = await all(stored);
    expect(event).toMatchObject({
      data: { client_address: ERASED },
      metadata: { actor: { person: { name: ERASED } } },
    });
    expect(sealedIn(event!)).toEqual([]);
  });

  it('another process forgets an erased key without reading anything', async () => {
    await log.append('usage-1', 'no-stream', [use('p1', 'Ada', '192.0.2.7')]);
    await all(other);
    expect(otherKeys.known('p1')).not.toBeNull();
    await keys.erase('p1');
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (otherKeys.known('p1') !== null) return;
        clearInterval(timer);
        resolve();
      }, 20);
    });
  }, 60_000);

  it('what a lost key sealed reads as erased, also once the person has another key', async () => {
    await log.append('usage-1', 'no-stream', [use('p1', 'Ada', '192.0.2.7')]);
    const anew = new PersonKeys(new MemoryKeyStore());
    const restored = new SealedLog(stored, anew);
    expect(await all(restored)).toMatchObject([{ data: { client_address: ERASED } }]);
    await restored.append('usage-1', 0, [use('p1', 'Ada', '192.0.2.9')]);
    expect(await all(restored)).toMatchObject([
      { data: { client_address: ERASED } },
      { data: { client_address: '192.0.2.9' } },
    ]);
    await anew.close();
  });

  it('P4 where the keys cannot be reached, nothing is stored in clear', async () => {
    store.unreachable = true;
    await expect(log.append('usage-1', 'no-stream', [use('p1', 'Ada', '192.0.2.7')])).rejects.toThrow(
      'The keys of people’s data cannot be reached.',
    );
    expect(await all(stored)).toEqual([]);
  });

  it('events from before there were keys pass as they are', async () => {
    const event = use('p1', 'Ada', '192.0.2.7');
    await stored.append('usage-1', 'no-stream', [event]);
    expect(await all(log)).toMatchObject([{ data: event.data, metadata: event.metadata }]);
  });

  it('what was sealed by one cannot be passed off as another’s, nor changed', async () => {
    await log.append('usage-1', 'no-stream', [use('p1', 'Ada', '192.0.2.7'), use('p2', 'Bo', '192.0.2.8')]);
    const [first, second] = (await all(stored)).map((event) => sealedIn(event)[0]!);
    const [one, two] = [keys.known('p1')!, keys.known('p2')!];
    expect(one.open(first!)).toEqual(['192.0.2.7', 'curl', 'Ada', 'ci']);
    expect(two.open(first!)).toBeNull();
    expect(one.open({ ...second!, commitment: first!.commitment })).toBeNull();
    const bytes = Buffer.from(first!.box, 'base64');
    bytes[3]! ^= 1;
    expect(one.open({ ...first!, box: bytes.toString('base64') })).toBeNull();
  });
});
