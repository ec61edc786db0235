import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import type { LogPlace } from '../../libs/privacy/open-sealed-log.ts';
import { type RunningProjection, startProjection } from '../../libs/projection/runner.ts';
import { ProjectionsThread } from '../../libs/projection/thread/projections-thread.ts';
import { PGlitePool } from '../../libs/read-db/pglite-port.ts';
import { openReadDb, overPGlite, type ReadDb } from '../../libs/read-db/read-db.ts';
import type { Settings } from '../../libs/settings/settings.ts';
import { SQL_PROJECTIONS } from '../../projections/sql-projections.ts';

/** What the projecting thread is told at its start. */
export interface ProjectingOrder {
  readonly log: LogPlace;
  readonly database:
    | { readonly engine: 'postgresql'; readonly url: string }
    /** The other end of the port asks it. */
    | { readonly engine: 'pglite'; readonly directory: string; readonly port: MessagePort };
}

/** The read models, and what keeps them at the log's head. */
export interface Projecting {
  readonly readDb: ReadDb;
  readonly projections: readonly RunningProjection[];
  stop(): Promise<void>;
}

type OnFault = (projection: string, error: Error) => void;

/**
 * Keeps the read models on a thread of their own, or asks how far the projectors have got that do (`PROJECTIONS=elsewhere`).
 * @throws Error when database or log cannot be reached at the start
 */
export async function startProjecting(settings: Settings, log: EventLog, onFault: OnFault): Promise<Projecting> {
  const { dataDir, eventStoreUrl, personKeysUrl, databaseUrl, leadsProjections } = settings;
  if (!leadsProjections)
    return await askProjectors(await openReadDb({ databaseUrl: databaseUrl ?? undefined }), log, onFault);
  const { port1, port2 } = new MessageChannel();
  const database: ProjectingOrder['database'] =
    databaseUrl === null
      ? { engine: 'pglite', directory: join(dataDir, 'read'), port: port2 }
      : { engine: 'postgresql', url: databaseUrl };
  const order: ProjectingOrder = { log: { dataDir, eventStoreUrl, personKeysUrl }, database };
  // The worker is compiled as this file is: .ts under jest and type stripping, .js in dist.
  const extension = extname(fileURLToPath(import.meta.url));
  const worker = new Worker(new URL(`./projecting.worker${extension}`, import.meta.url), {
    workerData: order,
    transferList: database.engine === 'pglite' ? [port2] : [],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const thread = await ProjectionsThread.start({ worker, projections: SQL_PROJECTIONS, log, onFault });
  const readDb =
    database.engine === 'pglite'
      ? overPGlite(new PGlitePool(port1, () => Promise.resolve()))
      : await openReadDb({ databaseUrl: database.url });
  return {
    readDb,
    projections: thread.projections,
    async stop() {
      await readDb.close();
      await thread.stop();
    },
  };
}

async function askProjectors(readDb: ReadDb, log: EventLog, onFault: OnFault): Promise<Projecting> {
  const projections: RunningProjection[] = [];
  const stop = async (): Promise<void> => {
    for (const projection of projections) await projection.stop();
    await readDb.close();
  };
  try {
    for (const projection of SQL_PROJECTIONS) {
      const fault = (error: Error): void => onFault(projection.name, error);
      projections.push(await startProjection({ log, readDb, projection, lead: false, onFault: fault }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { readDb, projections, stop };
}
