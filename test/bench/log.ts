import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventLog, NewEvent } from '../../libs/event-log/event-log.ts';
import { openSqliteEventLog } from '../../libs/event-log/sqlite/sqlite-event-log.ts';

const FOR_MS = 3_000;
const CALLERS = 50;

export interface LogFigures {
  readonly singlePerSecond: number;
  readonly sharedPerSecond: number;
}

/** Durable appends a second: one caller waiting for each, and fifty at once, each to a stream of its own. */
export async function measureAppends(): Promise<LogFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  const log = await openSqliteEventLog({ directory });
  try {
    await appends(log, CALLERS, FOR_MS / 3);
    return { singlePerSecond: await appends(log, 1, FOR_MS), sharedPerSecond: await appends(log, CALLERS, FOR_MS) };
  } finally {
    await log.close();
    rmSync(directory, { recursive: true });
  }
}

async function appends(log: EventLog, callers: number, forMs: number): Promise<number> {
  const startedMs = performance.now();
  const counts = await Promise.all(
    Array.from({ length: callers }, async () => {
      const stream = `bench-${randomUUID()}`;
      let revision = -1;
      while (performance.now() - startedMs < forMs) {
        ({ revision } = await log.append(stream, revision === -1 ? 'no-stream' : revision, [event()]));
      }
      return revision + 1;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - startedMs) / 1000);
}

function event(): NewEvent {
  const id = randomUUID();
  return {
    id,
    type: 'Benched',
    data: { text: 'x'.repeat(300) },
    metadata: { $correlationId: id, $causationId: id, schema: 1 },
  };
}
