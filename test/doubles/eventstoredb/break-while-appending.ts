import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { openEventStoreLog } from '../../../libs/event-log/eventstoredb/eventstore-log.ts';
import type { EventLog, NewEvent } from '../../../libs/event-log/event-log.ts';
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

/** What becomes of each; handled from its first moment, however slow the machine is. */
const appends: Promise<'stored' | 'failed'>[] = [];
const append = (log: EventLog, stream: string, text?: string): void => {
  appends.push(
    log.append(stream, 'no-stream', [event(text)]).then(
      () => 'stored',
      () => 'failed',
    ),
  );
};
const one = await start();
if (process.argv[2] === 'other-client') {
  const other = await start();
  one.double.delayAppendsMs = 200;
  append(one.log, 'one');
  await delay(50);
  other.double.cutAfterStore();
  append(other.log, 'other');
} else {
  for (let n = 0; n < 30; n++) append(one.log, `s${n}`, 'x'.repeat(150_000));
  await delay(15);
  one.double.stop();
  await one.double.start();
}
const became = await Promise.all(appends);
await delay(300);
console.log(became.filter((one) => one === 'stored').length);
process.exit(0);
