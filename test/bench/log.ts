import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventLog, NewEvent } from '../../libs/event-log/event-log.ts';
import { openSqliteEventLog } from '../../libs/event-log/sqlite/sqlite-event-log.ts';
import { median } from './load.ts';
import { table, whole } from './markdown.ts';
import { atLeast, type Findings, type Subject } from './subject.ts';

const ROUNDS = 5;
const FOR_MS = 1_000;
const CALLERS = 50;

/** Durable appends a second: one caller waiting for each, and fifty at once, each to a stream of its own. */
export const log: Subject = { name: 'log', measure };

async function measure(): Promise<Findings> {
  const directory = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  const opened = await openSqliteEventLog({ directory });
  const rounds: { readonly single: number; readonly shared: number }[] = [];
  try {
    await appends(opened, CALLERS, FOR_MS);
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({ single: await appends(opened, 1, FOR_MS), shared: await appends(opened, CALLERS, FOR_MS) });
    }
  } finally {
    await opened.close();
    rmSync(directory, { recursive: true });
  }
  const grouped = median(rounds.map(({ single, shared }) => shared / single));
  return {
    targets: [atLeast(`${CALLERS} callers at once, of single durable appends`, 15, grouped)],
    section: `## Embedded log

${table(
  ['callers', 'durable appends a second'],
  [
    ['1', whole(median(rounds.map(({ single }) => single)))],
    [`${CALLERS}`, whole(median(rounds.map(({ shared }) => shared)))],
  ],
)}`,
  };
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
