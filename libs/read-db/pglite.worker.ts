/** A thread for PGlite alone. */
import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';
import { servePGlite } from './pglite-port.ts';
import { PGliteSession } from './pglite-session.ts';

const { directory, port } = workerData as { readonly directory: string; readonly port: MessagePort };
const session = await PGliteSession.open(directory);
servePGlite(port, session);
port.once('close', () => void session.end());
parentPort?.postMessage('open');
