import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { PATH } from './calls.ts';
import { end } from './child.ts';
import { bearer, EVENTS, writeHistory } from './history-log.ts';
import { type Load, load, median, quantile } from './load.ts';
import { table, whole } from './markdown.ts';
import { atLeast, atMost, type Findings, type Subject } from './subject.ts';
import { createToken, readOperator } from './writ.ts';

const RATE = 2_000;
const SECONDS = 10;
const CONNECTIONS = 20;
const PROOFS = 300;
const LOOK_MS = 50;
const LONGEST_CATCHING_UP_MS = 1_800_000;

/** What is asked of the complete history, of one embedded server whose log has it. */
export const history: Subject = { name: 'history', measure };

interface Asking {
  readonly server: ServerProcess;
  readonly token: string;
  readonly operator: string;
  readonly dataDir: string;
}

async function measure(): Promise<Findings> {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  try {
    await writeHistory(dataDir, EVENTS);
    const server = await startServerProcess({ DATA_DIR: dataDir });
    try {
      const operator = readOperator(dataDir);
      const { token } = await createToken(server.url, operator);
      return await measureOf({ server, token, operator, dataDir });
    } finally {
      await end(server);
    }
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}

async function measureOf(asking: Asking): Promise<Findings> {
  const { server, token } = asking;
  const caughtUpSeconds = await caughtUp(asking);
  await load(server, PATH, { seconds: SECONDS, connections: CONNECTIONS, token, rate: RATE });
  const idle = await load(server, PATH, { seconds: SECONDS, connections: CONNECTIONS, token, rate: RATE });
  const lags: number[] = [];
  await during(
    () => load(server, PATH, { seconds: SECONDS, connections: CONNECTIONS, token, rate: RATE }),
    async () => lags.push(await lagMs(asking)),
  );
  const beforeBytes = residentBytes(server);
  await ask('POST', asking, '/api/v1/admin/projections/audit/rebuild');
  let mostBytes = beforeBytes;
  const rebuilding = await during(
    () => load(server, PATH, { seconds: SECONDS, connections: CONNECTIONS, token, rate: RATE }),
    () => (mostBytes = Math.max(mostBytes, residentBytes(server))),
  );
  await caughtUp(asking);
  const proofs = await proofsMs(asking);
  const file = join(asking.dataDir, 'history.jsonl');
  const exported = await exportTo(file, asking);
  const verifiedSeconds = await verify(file, asking);
  return {
    targets: [
      atMost('lag from a use to its row in the audit trail at 2,000 uses a second, median ms', 250, median(lags)),
      atLeast(
        'rate of calls during a rebuild of the audit trail, of that without',
        0.99,
        rebuilding.perSecond / idle.perSecond,
      ),
      atMost('P99 of calls during that rebuild, of that without', 2, rebuilding.p99Ms / Math.max(1, idle.p99Ms)),
      atMost('proof of inclusion over REST, P99 ms', 10, quantile(proofs, 0.99)),
      atLeast('export of everything, lines a second', 50_000, Math.round(exported.lines / exported.seconds)),
      atLeast('offline verify of it, lines a second', 200_000, Math.round(exported.lines / verifiedSeconds)),
    ],
    section: `## History

One embedded server whose log holds ${whole(EVENTS)} uses. All its read models together took ${caughtUpSeconds.toFixed(0)} s to catch up with them from
nothing. Calls come at a fixed ${whole(RATE)} a second; the lag is how old the newest row of the audit trail is, asked over REST all
the while, the question's own time included. ${whole(PROOFS)} proofs are asked one after the other, of events that a checkpoint covers already.
Verifying is the whole command, from its start.

${table(
  ['calls', 'calls a second', 'P50 ms', 'P99 ms', 'MiB more at most'],
  [
    ['alone', whole(idle.perSecond), `${idle.p50Ms}`, `${idle.p99Ms}`, '-'],
    [
      'while the audit trail is rebuilt',
      whole(rebuilding.perSecond),
      `${rebuilding.p50Ms}`,
      `${rebuilding.p99Ms}`,
      whole((mostBytes - beforeBytes) / 1024 / 1024),
    ],
  ],
)}

${table(
  ['what', 'median', 'P99'],
  [
    ['lag to the audit trail, ms', median(lags).toFixed(0), quantile(lags, 0.99).toFixed(0)],
    ['proof of inclusion, ms', median(proofs).toFixed(1), quantile(proofs, 0.99).toFixed(1)],
  ],
)}

Exported ${whole(exported.lines)} lines in ${exported.seconds.toFixed(1)} s, verified in ${verifiedSeconds.toFixed(1)} s.`,
  };
}

/** Looks on while the load lasts. */
async function during(loading: () => Promise<Load>, look: () => unknown): Promise<Load> {
  const ended = new AbortController();
  const looking = (async () => {
    while (!ended.signal.aborted) {
      await look();
      await sleep(LOOK_MS);
    }
  })();
  const result = await loading();
  ended.abort();
  await looking;
  return result;
}

async function ask<Answer>(method: string, { server, operator }: Asking, path: string): Promise<Answer> {
  const response = await fetch(server.url + path, { ...bearer({ token: operator }), method });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}

const get = <Answer>(asking: Asking, path: string): Promise<Answer> => ask('GET', asking, path);

async function lagMs(asking: Asking): Promise<number> {
  const { items } = await get<{ items: { time: string }[] }>(asking, '/api/v1/audit?limit=1&kind=use');
  return Date.now() - Date.parse(items[0]?.time ?? '');
}

/** Until every read model is at the head, and no rebuild is under way; seconds. */
async function caughtUp(asking: Asking): Promise<number> {
  const startedMs = performance.now();
  interface View {
    readonly position: number | null;
    readonly head: number | null;
    readonly rebuild: object | null;
  }
  for (;;) {
    const { items } = await get<{ items: View[] }>(asking, '/api/v1/admin/projections');
    // Asking is an event too: nobody is ever quite at the head.
    const level = items.every(({ position, head, rebuild }) => rebuild === null && (head ?? 0) - (position ?? 0) < 50);
    if (level) return (performance.now() - startedMs) / 1000;
    if (performance.now() - startedMs > LONGEST_CATCHING_UP_MS) throw new Error('the read models do not catch up');
    await sleep(500);
  }
}

/** VmRSS of the server's process (proc_pid_status(5)); 0 where the system does not tell. */
function residentBytes({ child }: ServerProcess): number {
  if (process.platform !== 'linux') return 0;
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
  return Number(kib ?? 0) * 1024;
}

async function proofsMs(asking: Asking): Promise<number[]> {
  const took: number[] = [];
  for (let proof = 0; proof < PROOFS; proof++) {
    const position = 100 + Math.floor(Math.random() * (EVENTS - 1_000));
    const startedMs = performance.now();
    await get(asking, `/api/v1/audit/proofs/inclusion?position=${position}`);
    took.push(performance.now() - startedMs);
  }
  return took;
}

async function exportTo(file: string, { server, operator }: Asking): Promise<{ lines: number; seconds: number }> {
  const startedMs = performance.now();
  const response = await fetch(`${server.url}/api/v1/audit/export`, bearer({ token: operator }));
  if (!response.ok || response.body === null) throw new Error(`no export: ${response.status}`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
  const seconds = (performance.now() - startedMs) / 1000;
  return { lines: readFileSync(file).filter((byte) => byte === 0x0a).length, seconds };
}

/** `writ audit verify`, as anybody runs it. @throws Error when the export is not what was signed */
async function verify(file: string, asking: Asking): Promise<number> {
  const { keys } = await get<{ keys: string[] }>(asking, '/api/v1/audit/keys');
  writeFileSync(`${file}.keys`, keys.join('\n'));
  const startedMs = performance.now();
  const child = spawn(process.execPath, ['dist/apps/cli/main.js', 'audit', 'verify', file, '--key', `${file}.keys`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the export was not verified: ${code}`);
  return (performance.now() - startedMs) / 1000;
}
