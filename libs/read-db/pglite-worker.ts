import { mkdir } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

/** Runs PGlite: it computes synchronously, so it must never do so on the thread the gate runs on. */

export interface PGliteRequest {
  readonly id: number;
  /** Null: close. */
  readonly sql: string | null;
  readonly parameters: readonly unknown[];
}

export type PGliteReply =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: object[]; readonly count: number }
  | { readonly kind: 'error'; readonly id: number; readonly message: string; readonly code: string | undefined };

const { directory } = workerData as { directory: string };
const port = parentPort!;
const reply = (message: PGliteReply): void => port.postMessage(message);

/** Where processors are short the calls come first. Linux keeps a priority for each thread, elsewhere it is the process's. */
const NICE = 5;
if (process.platform === 'linux') setPriority(NICE);

async function open(): Promise<PGlite> {
  await mkdir(directory, { recursive: true });
  const pglite = await PGlite.create(directory);
  // Data and checkpoint are lost together, if at all, and come again from the log.
  await pglite.exec('set synchronous_commit = off');
  return pglite;
}

async function answer(pglite: PGlite, { id, sql, parameters }: PGliteRequest): Promise<void> {
  try {
    if (sql === null) {
      await pglite.close();
      reply({ kind: 'rows', id, rows: [], count: 0 });
      port.close();
      return;
    }
    const result = await pglite.query<object>(sql, [...parameters]);
    const count =
      result.affectedRows === undefined || result.affectedRows === 0 ? result.rows.length : result.affectedRows;
    reply({ kind: 'rows', id, rows: result.rows, count });
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    reply({ kind: 'error', id, message, code });
  }
}

try {
  const pglite = await open();
  let last = Promise.resolve();
  port.on('message', (request: PGliteRequest) => {
    last = last.then(() => answer(pglite, request));
  });
  reply({ kind: 'open' });
} catch (error) {
  reply({ kind: 'failed', message: (error as Error).message });
  port.close();
}
