import { randomUUID } from 'node:crypto';
import { openEventStoreLog } from '../../libs/event-log/eventstoredb/eventstore-log.ts';
import { UsageJournal } from '../../libs/usage/journal.ts';
import type { TokenUse } from '../../libs/usage/use.ts';
import { EventStoreDouble } from '../doubles/eventstoredb/server.ts';
import { median } from './load.ts';
import { table, whole } from './markdown.ts';
import { atMost, type Findings, type Subject } from './subject.ts';

const ROUNDS = 5;
const FOR_MS = 1_000;
/** What a real server takes for one append on such a machine. */
const APPEND_MS = 2;

/** Uses a process records over EventStoreDB, and what that costs it in appends. */
export const eventstore: Subject = { name: 'eventstore', measure };

interface Round {
  readonly callsPerSecond: number;
  readonly appendsPerCall: number;
}

async function measure(): Promise<Findings> {
  const double = await new EventStoreDouble().start();
  double.delayAppendsMs = APPEND_MS;
  const log = await openEventStoreLog({ connectionString: double.connectionString });
  const journal = new UsageJournal(log);
  const alone: Round[] = [];
  const together: Round[] = [];
  try {
    await calls(journal, double, 50);
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await calls(journal, double, 1));
      together.push(await calls(journal, double, 50));
    }
  } finally {
    await journal.close();
    await log.close();
    double.stop();
  }
  const row = (callers: string, rounds: readonly Round[]): string[] => [
    callers,
    whole(median(rounds.map(({ callsPerSecond }) => callsPerSecond))),
    median(rounds.map(({ appendsPerCall }) => appendsPerCall)).toFixed(3),
  ];
  return {
    targets: [
      atMost(
        '50 callers over EventStoreDB (double, 2 ms an append), appends per call',
        0.1,
        median(together.map(({ appendsPerCall }) => appendsPerCall)),
      ),
    ],
    section: `## EventStoreDB

Uses recorded durably by one process's journal, through the adapter, to a double of EventStoreDB in the same process that
holds each append back for ${APPEND_MS} ms.

${table(['callers', 'calls recorded a second', 'appends per call'], [row('1', alone), row('50', together)])}`,
  };
}

/** Each caller records one use after the other, waiting for each to be durable. */
async function calls(journal: UsageJournal, double: EventStoreDouble, callers: number): Promise<Round> {
  const appendsBefore = double.appendCount;
  const startedMs = performance.now();
  const counts = await Promise.all(
    Array.from({ length: callers }, async () => {
      let count = 0;
      for (; performance.now() - startedMs < FOR_MS; count++) {
        const id = randomUUID();
        await journal.record(use(id), { $correlationId: id, $causationId: id, schema: 1 });
      }
      return count;
    }),
  );
  const count = counts.reduce((sum, one) => sum + one, 0);
  return {
    callsPerSecond: count / ((performance.now() - startedMs) / 1000),
    appendsPerCall: (double.appendCount - appendsBefore) / count,
  };
}

const use = (requestId: string): TokenUse => ({
  token: '01J9ZK3V8Q6T4W2Y0B7D5F1G3H',
  workspace: '01J9ZK3V8Q6T4W2Y0B7D5F1G3H',
  time: new Date().toISOString(),
  face: 'rest',
  operation: 'reports.get',
  resource: 'report/01J9ZK3V8Q6T4W2Y0B7D5F1G3H',
  decision: 'allowed',
  reason: null,
  status: 200,
  duration_ms: 1,
  request_id: requestId,
  client_address: '127.0.0.1',
  client_name: 'bench',
  budget: 'reads',
  cost: 1,
  window_second: 0,
});
