import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { PGlitePool } from './pglite-port.ts';

/** Starts a thread for PGlite alone; ends with the pool. @throws Error when PGlite does not start */
export async function startPGliteThread(directory: string): Promise<PGlitePool> {
  const { port1, port2 } = new MessageChannel();
  // The worker is compiled as this file is: .ts under jest and type stripping, .js in dist.
  const extension = extname(fileURLToPath(import.meta.url));
  const worker = new Worker(new URL(`./pglite.worker${extension}`, import.meta.url), {
    workerData: { directory, port: port2 },
    transferList: [port2],
    execArgv: [],
  });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  await once(worker, 'message');
  // From here on the port tells those who wait.
  worker.on('error', () => undefined);
  return new PGlitePool(port1, () => ended);
}
