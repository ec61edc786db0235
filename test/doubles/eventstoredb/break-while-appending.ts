import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { openEventStoreLog } from '../../../libs/event-log/eventstoredb/eventstore-log.ts';
import type { NewEvent } from '../../../libs/event-log/event-log.ts';
import { EventStoreDouble } from './server.ts';

/**
 * A process of its own (jest would catch what ends a real one): connections break while appends are under way. Prints
 * how many of them were stored and answered; `node break-while-appending.ts other-client|large-appends`.
 */
const event = (text = ''): NewEvent => ({
  id: randomUUID(),
  type: 'Tested',
  data: { text },
  metadata: { $correlationId: 'request', $causationId: 'test', schema: 1 },
});
const start = async () => {
  const double = await new EventStoreDouble().start();
  const log = await openEventStoreLog({ connectionString: double.connectionString });
  await log.append('first', 'any', [event()]);
  return { double, log };
};

const appends: Promise<unknown>[] = [];
const one = await start();
if (process.argv[2] === 'other-client') {
  const other = await start();
  one.double.delayAppendsMs = 200;
  appends.push(one.log.append('one', 'no-stream', [event()]));
  await delay(50);
  other.double.cutAfterStore();
  appends.push(other.log.append('other', 'no-stream', [event()]));
} else {
  for (let n = 0; n < 30; n++) appends.push(one.log.append(`s${n}`, 'no-stream', [event('x'.repeat(400_000))]));
  await delay(15);
  one.double.stop();
  await one.double.start();
}
const settled = await Promise.allSettled(appends);
await delay(300);
console.log(settled.filter(({ status }) => status === 'fulfilled').length);
process.exit(0);
