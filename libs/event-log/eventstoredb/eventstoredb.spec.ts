import { afterAll, beforeAll } from '@jest/globals';
import { eventLogContract } from '../../../test/contract/event-log.contract.ts';
import { EventStoreDouble } from '../../../test/doubles/eventstoredb/server.ts';
import { ran } from '../../../test/support/coverage-report.ts';
import { openEventStoreLog } from './eventstore-log.ts';

eventLogContract('EventStoreDB (double)', async () => {
  const double = await new EventStoreDouble().start();
  const log = await openEventStoreLog({ connectionString: double.connectionString });
  return {
    log,
    faults: double,
    reopen: async () => {
      await log.close();
      return openEventStoreLog({ connectionString: double.connectionString });
    },
    dispose: () => double.stop(),
  };
});

const url = process.env['EVENTSTORE_URL'];
const what = 'event log contract: EventStoreDB';

if (url === undefined || url === '') {
  beforeAll(() => ran(what, 'an in-process double of its gRPC services; no real server (EVENTSTORE_URL is not set)'));
} else {
  const noFaults = 'a real server is not cut off here; the double covers it';
  eventLogContract(
    'EventStoreDB (EVENTSTORE_URL)',
    async () => {
      const log = await openEventStoreLog({ connectionString: url });
      const reopen = async () => {
        await log.close();
        return openEventStoreLog({ connectionString: url });
      };
      return { log, reopen };
    },
    {
      'empty log': 'a real server holds system streams, and what earlier runs wrote',
      'unknown outcome': noFaults,
      reconnect: noFaults,
    },
  );
  afterAll(() => ran(what, 'an in-process double, and the server at EVENTSTORE_URL'));
}
