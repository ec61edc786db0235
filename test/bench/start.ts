import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { cells, CELLS, PATH } from './calls.ts';
import { end } from './child.ts';
import { type Load, load } from './load.ts';
import { age, makeLog } from './made-log.ts';
import { table } from './markdown.ts';
import { atMost, type Findings, type Subject } from './subject.ts';
import { createToken, readOperator } from './writ.ts';

const TOKENS = 100_000;
const EVENTS = 1_000_000;
const SECONDS = 6;
const LONGEST_START_MS = 120_000;
const CONNECTIONS = 10;

/** From spawning the process to the first 200 of /health/ready, on a log of a hundred thousand tokens. */
export const start: Subject = { name: 'start', measure };

async function measure(): Promise<Findings> {
  const full = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  const empty = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  try {
    await makeLog(full, { tokens: TOKENS, events: EVENTS });
    age(full, 24 * 3_600_000);
    const { server, seconds } = await timedStart(full);
    const catchingUp = await loaded(server, full);
    const fresh = await timedStart(empty);
    const idle = await loaded(fresh.server, empty);
    return render(seconds, catchingUp, idle);
  } finally {
    for (const directory of [full, empty]) rmSync(directory, { recursive: true });
  }
}

function render(readySeconds: number, catchingUp: Load, idle: Load): Findings {
  const behind = catchingUp.p99Ms / Math.max(1, idle.p99Ms);
  return {
    targets: [
      atMost('start with 100 k tokens and 1 M events, seconds', 20, readySeconds),
      atMost('P99 of a call while read models catch up, of its idle P99', 3, behind),
    ],
    section: `## Start

With 100,000 tokens and 1,000,000 events in the log, from spawning the process to the first 200 of \`/health/ready\`:
${readySeconds.toFixed(1)} s. The uses are a day old, so none refills a window. There is no snapshot (decision 0004).

Calls over ${CONNECTIONS} connections, while the read models catch up with that log and on a server with nothing to catch up with:

${table(
  ['', ...CELLS.slice(1)],
  [
    ['catching up', ...cells(catchingUp)],
    ['idle', ...cells(idle)],
  ],
)}`,
  };
}

async function timedStart(dataDir: string): Promise<{ readonly server: ServerProcess; readonly seconds: number }> {
  const startedMs = performance.now();
  const server = await startServerProcess({ DATA_DIR: dataDir }, LONGEST_START_MS);
  const ready = await fetch(`${server.url}/health/ready`);
  if (!ready.ok) throw new Error(`listening, but not ready: ${ready.status}`);
  return { server, seconds: (performance.now() - startedMs) / 1000 };
}

async function loaded(server: ServerProcess, dataDir: string): Promise<Load> {
  try {
    const { token } = await createToken(server.url, readOperator(dataDir));
    return await load(server, PATH, { seconds: SECONDS, connections: CONNECTIONS, token });
  } finally {
    await end(server);
  }
}
