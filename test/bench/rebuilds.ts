import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startPostgres } from '../support/postgres.ts';
import { startOwnRedis } from '../support/redis.ts';
import { runSource } from './child.ts';
import type { FillOrder, FillResult } from './fill.child.ts';
import { EVENTS, writeHistory } from './history-log.ts';
import { makeLog } from './made-log.ts';
import { table, whole } from './markdown.ts';
import { atLeast, atMost, type Findings, type Subject } from './subject.ts';

const TOKENS = 100_000;
const MIB = 1024 * 1024;

/** How fast what is made from the log is made again, each alone in a process of its own. */
export const rebuilds: Subject = { name: 'rebuilds', measure };

async function measure(): Promise<Findings> {
  const folders = ['uses', 'tokens', 'audit', 'tree'].map((name) => mkdtempSync(join(tmpdir(), `writ-bench-${name}-`)));
  const [uses = '', tokens = '', auditFolder = '', treeFolder = ''] = folders;
  const postgres = await startPostgres('bench');
  const redis = await startOwnRedis('bench');
  try {
    await writeHistory(uses, EVENTS);
    await makeLog(tokens, { tokens: TOKENS, events: TOKENS });
    const log = await fill({ dataDir: uses, what: 'log' });
    const pglite = await fill({ dataDir: uses, what: 'audit', into: auditFolder });
    const postgresql = await fill({ dataDir: uses, what: 'audit', into: postgres.url });
    const tree = await fill({ dataDir: uses, what: 'transparency', into: treeFolder });
    const read = await fill({ dataDir: tokens, what: 'tokens of the log' });
    const memory = await fill({ dataDir: tokens, what: 'memory view' });
    const shared = await fill({ dataDir: tokens, what: 'redis view', into: redis.url });
    const row = (name: string, { events, seconds, grewBytes }: FillResult): string[] => [
      name,
      whole(events),
      whole(events / seconds),
      whole(grewBytes / MIB),
    ];
    return {
      targets: [
        atLeast('rebuild of the audit model into PostgreSQL, events a second', 20_000, rate(postgresql)),
        atLeast('rebuild of the audit model into PGlite, events a second', 10_000, rate(pglite)),
        atLeast('rebuild of the memory view, of the rate at which its events are read', 0.7, rate(memory) / rate(read)),
        atLeast('rebuild of the Redis view, events a second', 50_000, rate(shared)),
        atMost('memory a rebuild of the audit model into PostgreSQL takes, MiB', 300, postgresql.grewBytes / MIB),
      ],
      section: `## Rebuilds

Each alone, in a process of its own, from an embedded log to an empty store, once. The events of a
view are those of its tokens. ${postgres.what}, ${redis.what}. With PGlite the memory is PGlite's own as well.

${table(
  ['what', 'events', 'events a second', 'MiB more at most'],
  [
    row('the log, read and opened', log),
    row('audit model, PGlite', pglite),
    row('audit model, PostgreSQL', postgresql),
    row('tree of the proof, PGlite', tree),
    row('the tokens’ events, read and opened', read),
    row('memory view', memory),
    row('Redis view', shared),
  ],
)}`,
    };
  } finally {
    await postgres.stop();
    await redis.stop();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

const rate = ({ events, seconds }: FillResult): number => events / seconds;

async function fill(order: FillOrder): Promise<FillResult> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    runSource('test/bench/fill.child.ts', JSON.stringify(order)),
  );
  return JSON.parse(stdout) as FillResult;
}
