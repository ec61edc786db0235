import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { EXIT } from './failures.ts';

const OWN_NODE = join(import.meta.dirname, '../../../node_modules/node/bin/node');

/**
 * Where this process runs under an older Node than Writ is written for, as the one on the `PATH` may be: the same
 * command line again under the Node that is installed with Writ, and its exit code. Null: this Node will do.
 */
export function runWithOwnNode(
  script: string,
  args: readonly string[],
  { hasSqlite = isBuiltin('node:sqlite'), ownNode = OWN_NODE } = {},
): number | null {
  if (hasSqlite) return null;
  if (!existsSync(ownNode)) {
    console.error(`writ needs Node 22.13 or newer; this is ${process.version}.`);
    return EXIT.usage;
  }
  const { status, error } = spawnSync(ownNode, [script, ...args], { stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? EXIT.refused;
}
