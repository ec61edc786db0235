import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { EventLog } from '../../libs/event-log/event-log.ts';
import type { LogPlace } from '../../libs/privacy/open-sealed-log.ts';
import type { RunningProjection } from '../../libs/projection/runner.ts';
import { startProjections } from '../../libs/projection/start-projections.ts';
import { ProjectionsThread } from '../../libs/projection/thread/projections-thread.ts';
import { PGlitePool } from '../../libs/read-db/pglite-port.ts';
import { openReadDb, overPGlite, type ReadDb } from '../../libs/read-db/read-db.ts';
import type { Settings } from '../../libs/settings/settings.ts';
import { startWorker } from '../../libs/threads/start-worker.ts';
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
  const { dataDir, eventStoreUrl, personKeysUrl, archiveFolder, databaseUrl, leadsProjections } = settings;
  if (!leadsProjections)
    return await askProjectors(await openReadDb({ databaseUrl: databaseUrl ?? undefined }), log, onFault);
  const { port1, port2 } = new MessageChannel();
  const database: ProjectingOrder['database'] =
    databaseUrl === null
      ? { engine: 'pglite', directory: join(dataDir, 'read'), port: port2 }
      : { engine: 'postgresql', url: databaseUrl };
  const order: ProjectingOrder = { log: { dataDir, eventStoreUrl, personKeysUrl, archiveFolder }, database };
  const transferred = database.engine === 'pglite' ? [port2] : [];
  const worker = startWorker(import.meta.url, 'projecting.worker', order, transferred);
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
  try {
    const options = { log, readDb, projections: SQL_PROJECTIONS, lead: false, onFault };
    const { running, stop } = await startProjections(options);
    return {
      readDb,
      projections: running,
      async stop() {
        await stop();
        await readDb.close();
      },
    };
  } catch (error) {
    await readDb.close();
    throw error;
  }
}
