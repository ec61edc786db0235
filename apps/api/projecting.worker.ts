/**
 * The thread that keeps the read models: it maps events, and embedded it is PGlite too. Neither takes a turn of the
 * event loop the gate runs on.
 */
import { setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { followSealedLog } from '../../libs/privacy/open-sealed-log.ts';
import { serveProjections } from '../../libs/projection/thread/serve-projections.ts';
import { servePGlite } from '../../libs/read-db/pglite-port.ts';
import { PGliteSession } from '../../libs/read-db/pglite-session.ts';
import { openReadDb, overPGlite, type ReadDb } from '../../libs/read-db/read-db.ts';
import { SQL_PROJECTIONS } from '../../projections/sql-projections.ts';
import type { ProjectingOrder } from './projecting.ts';

/** Where processors are short the calls come first. Linux keeps a priority for each thread, elsewhere it is the process's. */
const NICE = 5;
if (process.platform === 'linux') setPriority(NICE);

const order = workerData as ProjectingOrder;

async function openDatabase({ database }: ProjectingOrder): Promise<ReadDb> {
  if (database.engine === 'postgresql') return await openReadDb({ databaseUrl: database.url });
  const session = await PGliteSession.open(database.directory);
  servePGlite(database.port, session);
  return overPGlite(session);
}

const port = parentPort as MessagePort;
const { log, headIs, close } = await followSealedLog(order.log);
const readDb = await openDatabase(order);
await serveProjections({ port, log, headIs, readDb, projections: SQL_PROJECTIONS });
await readDb.close();
await close();
port.close();
