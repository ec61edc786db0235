import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { EventQueue } from './event-queue.ts';

const EVENTS = 40;

let log: MemoryEventLog;
let ending: AbortController;

beforeEach(() => {
  log = new MemoryEventLog();
  ending = new AbortController();
});
afterEach(() => {
  ending.abort();
});

describe('live events', () => {
  it('are taken in large bites while others need the CPU, none lost, and the last one too', async () => {
    expect(await bites(() => true)).toBeLessThan(await bites(() => false));
  });
});

describe('a log that is far ahead', () => {
  it('is read without a pause', async () => {
    const queue = new EventQueue(log, null, null, ending.signal);
    await queue.take(1, null);
    const events = Array.from({ length: 5_000 }, event);
    for (let start = 0; start < events.length; start += 1_000) {
      await log.append('usage-x', 'any', events.slice(start, start + 1_000));
    }
    let seen = 0;
    while (seen < events.length) seen += (await queue.take(10_000, null))?.events.length ?? 0;
    expect(seen).toBe(events.length);
    await queue.close();
  }, 60_000);
});

/** How many bites it takes until all of many single appends have arrived. */
async function bites(unhurried: () => boolean): Promise<number> {
  const stream = `usage-${randomUUID()}`;
  const queue = new EventQueue(log, await log.head(), null, ending.signal, unhurried);
  const appending = (async () => {
    for (let count = 0; count < EVENTS; count++) {
      await sleep(10);
      await log.append(stream, 'any', [event()]);
    }
  })();
  let seen = 0;
  let taken = 0;
  while (seen < EVENTS) {
    const batch = await queue.take(10_000, null);
    seen += batch?.events.length ?? 0;
    if ((batch?.events.length ?? 0) > 0) taken++;
  }
  await appending;
  await queue.close();
  return taken;
}

function event() {
  const id = randomUUID();
  return { id, type: 'TokenUsed', data: {}, metadata: { $correlationId: id, $causationId: id, schema: 1 } };
}
