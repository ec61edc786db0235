import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { EXIT } from './failures.ts';
import type { Terminal } from './terminal.ts';

/** Commands that open the log in the folder themselves, which takes `node:sqlite`. */
const OPEN_THE_LOG: ReadonlySet<string> = new Set(['init', 'recover']);

/** Whether this command line asks for more than the Node it was begun with has: the one on the `PATH` may be older. */
export const needsOwnNode = ([command = '']: readonly string[], hasSqlite = isBuiltin('node:sqlite')): boolean =>
  !hasSqlite && OPEN_THE_LOG.has(command);

/** Runs it again under the Node that is installed with Writ, and answers its exit code. */
export function runWithOwnNode(args: readonly string[], script: string, terminal: Terminal): number {
  const node = join(import.meta.dirname, '../../../node_modules/node/bin/node');
  if (!existsSync(node)) {
    terminal.warn(`writ ${args[0]} needs Node 22.13 or newer; this is ${process.version}.`);
    return EXIT.usage;
  }
  const { status, error } = spawnSync(node, [script, ...args], { stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? EXIT.refused;
}
