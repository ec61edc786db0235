import { afterAll, beforeAll } from '@jest/globals';
import { eventLogContract, type OpenedLog } from '../../../test/contract/event-log.contract.ts';
import { EventStoreCluster } from '../../../test/doubles/eventstoredb/cluster.ts';
import { EventStoreDouble } from '../../../test/doubles/eventstoredb/server.ts';
import { notRan, ran } from '../../../test/support/coverage-report.ts';
import { findEventStore } from '../../../test/support/eventstore.ts';
import { openEventStoreLog } from './eventstore-log.ts';

const what = 'event log contract: EventStoreDB';

async function opened(connectionString: string): Promise<OpenedLog> {
  const log = await openEventStoreLog({ connectionString });
  const reopen = async () => {
    await log.close();
    return openEventStoreLog({ connectionString });
  };
  return { log, reopen };
}

eventLogContract(
  'EventStoreDB (double)',
  async () => {
    const double = await new EventStoreDouble().start();
    return { ...(await opened(double.connectionString)), faults: double, dispose: () => double.stop() };
  },
  { 'change of leader': 'a single node; the cluster covers it' },
);

eventLogContract('EventStoreDB (cluster of three doubles, the leader changing at every seventh append)', async () => {
  const cluster = await new EventStoreCluster().start();
  cluster.electEvery(7);
  return { ...(await opened(cluster.connectionString)), faults: cluster, dispose: () => cluster.stop() };
});

beforeAll(() => ran(what, 'in-process doubles of its gRPC services, one alone and a cluster of three'));

const real = await findEventStore();
if (real === null) {
  beforeAll(() => notRan(`${what}: a real server`, 'EVENTSTORE_URL is not set, and no Docker answers'));
} else {
  const noFaults = 'a real server is not cut off here; the double covers it';
  eventLogContract(`EventStoreDB (${real.what})`, () => opened(real.url), {
    'empty log': 'a real server holds system streams, and what earlier runs wrote',
    'unknown outcome': noFaults,
    reconnect: noFaults,
    'change of leader': noFaults,
  });
  afterAll(async () => {
    await ran(what, real.what);
    await real.stop();
  });
}
