import { join } from 'node:path';
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
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
  const { dataDir, databaseUrl, leadsProjections } = settings;
  if (!leadsProjections)
    return await askProjectors(await openReadDb({ databaseUrl: databaseUrl ?? undefined }), log, onFault);
  const pglite = new PGlitePool(() => Promise.resolve());
  const startThread = (): Worker => {
    if (databaseUrl !== null) return startWith(settings, { engine: 'postgresql', url: databaseUrl });
    const { port1, port2 } = new MessageChannel();
    pglite.attach(port1);
    return startWith(settings, { engine: 'pglite', directory: join(dataDir, 'read'), port: port2 });
  };
  const thread = await ProjectionsThread.start({ startThread, projections: SQL_PROJECTIONS, log, onFault });
  const readDb = databaseUrl === null ? overPGlite(pglite) : await openReadDb({ databaseUrl });
  return {
    readDb,
    projections: thread.projections,
    async stop() {
      await readDb.close();
      await thread.stop();
    },
  };
}

function startWith(settings: Settings, database: ProjectingOrder['database']): Worker {
  const { dataDir, eventStoreUrl, personKeysUrl, archiveFolder } = settings;
  const order: ProjectingOrder = { log: { dataDir, eventStoreUrl, personKeysUrl, archiveFolder }, database };
  return startWorker(import.meta.url, 'projecting.worker', order, database.engine === 'pglite' ? [database.port] : []);
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
