import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Transferable, Worker } from 'node:worker_threads';

/**
 * A thread that runs the module of this name beside the caller's. It is compiled as the caller is (.ts under jest and
 * type stripping, .js in dist), and the build renames imports, but not this.
 * @param beside the caller's `import.meta.url`
 * @param name without its extension
 */
export function startWorker(beside: string, name: string, data: unknown, transferred: Transferable[] = []): Worker {
  const extension = extname(fileURLToPath(beside));
  return new Worker(new URL(`./${name}${extension}`, beside), {
    workerData: data,
    transferList: transferred,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
}
