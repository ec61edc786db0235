/** Fills one read model, or view, from a log, and says how long that took. Its argument is a FillOrder; it prints a FillResult as JSON. */
import { loadCatalogues } from '../../libs/catalogue/load-catalogues.ts';
import type { EventLog, LogReader } from '../../libs/event-log/event-log.ts';
import { MemoryHotView } from '../../libs/hot-view/memory/memory-hot-view.ts';
import { RedisHotView } from '../../libs/hot-view/redis/redis-hot-view.ts';
import { openSealedLog } from '../../libs/privacy/open-sealed-log.ts';
import { startProjection } from '../../libs/projection/runner.ts';
import { PGliteSession } from '../../libs/read-db/pglite-session.ts';
import { openReadDb, overPGlite, type ReadDb } from '../../libs/read-db/read-db.ts';
import { audit } from '../../projections/audit/audit.projection.ts';
import { rebuild } from '../../projections/hot-view/follow.ts';
import { FOLLOWED_PREFIXES } from '../../projections/hot-view/fold-view.ts';
import { transparency } from '../../projections/transparency/transparency.projection.ts';

export interface FillOrder {
  readonly dataDir: string;
  readonly what: 'log' | 'tokens of the log' | 'audit' | 'transparency' | 'memory view' | 'redis view';
  /** A folder for PGlite, or a URL. */
  readonly into?: string;
}

export interface FillResult {
  readonly events: number;
  readonly seconds: number;
  /** How much more memory the process had at most while it filled, bytes. */
  readonly grewBytes: number;
}

const LOOK_MS = 20;
const LONGEST_MS = 1_800_000;

const { dataDir, what, into = '' } = JSON.parse(process.argv[2] ?? '{}') as FillOrder;
const { log, close } = await openSealedLog({ dataDir, eventStoreUrl: null, personKeysUrl: null, archiveFolder: null });
const before = process.memoryUsage.rss();
let most = before;
const looking = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), LOOK_MS);
const events =
  what === 'log' || what === 'audit' || what === 'transparency'
    ? await count(log)
    : await count(log, FOLLOWED_PREFIXES);
const seconds = await fill(log);
clearInterval(looking);
console.log(JSON.stringify({ events, seconds, grewBytes: most - before } satisfies FillResult));
await close();
process.exit(0);

async function count(reader: LogReader, streamPrefixes?: readonly string[]): Promise<number> {
  let counted = 0;
  for await (const _event of reader.readAll(streamPrefixes === undefined ? {} : { streamPrefixes })) counted++;
  return counted;
}

async function fill(reader: EventLog): Promise<number> {
  switch (what) {
    case 'log':
      return await timed(() => count(reader));
    case 'tokens of the log':
      return await timed(() => count(reader, FOLLOWED_PREFIXES));
    case 'audit':
    case 'transparency':
      return await fillReadModel(reader);
    case 'memory view':
      return await fillView(reader, new MemoryHotView());
    case 'redis view':
      return await fillView(reader, await RedisHotView.open({ url: into }));
    default:
      throw new Error(`nothing is known of ${String(what satisfies never)}`);
  }
}

async function fillReadModel(reader: EventLog): Promise<number> {
  const readDb = await openDatabase();
  const projection = what === 'audit' ? audit : transparency;
  const head = (await reader.head()) ?? 0;
  return await timed(async () => {
    const running = await startProjection({ log: reader, readDb, projection, batchSize: 2_000 });
    if (!(await running.waitFor(head, LONGEST_MS))) throw new Error('it did not get to the head');
    await running.stop();
  });
}

async function openDatabase(): Promise<ReadDb> {
  return into.startsWith('postgres') ? openReadDb({ databaseUrl: into }) : overPGlite(await PGliteSession.open(into));
}

function fillView(reader: EventLog, view: MemoryHotView | RedisHotView): Promise<number> {
  const onFault = (error: Error): never => {
    throw error;
  };
  return timed(() => rebuild({ log: reader, view, catalogues: loadCatalogues(null), onFault }));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1000;
}
