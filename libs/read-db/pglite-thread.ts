import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { startWorker } from '../threads/start-worker.ts';
import { PGlitePool } from './pglite-port.ts';

/** Starts a thread for PGlite alone; ends with the pool. @throws Error when PGlite does not start */
export async function startPGliteThread(directory: string): Promise<PGlitePool> {
  const { port1, port2 } = new MessageChannel();
  const worker = startWorker(import.meta.url, 'pglite.worker', { directory, port: port2 }, [port2]);
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  await once(worker, 'message');
  // From here on the port tells those who wait.
  worker.on('error', () => undefined);
  const pool = new PGlitePool(() => ended);
  pool.attach(port1);
  return pool;
}
