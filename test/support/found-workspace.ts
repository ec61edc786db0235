import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';

/**
 * `writ init`, as the operator runs it before the first start over EventStoreDB. Answers the operator's token.
 * @param env with `DATA_DIR`
 */
export async function foundWorkspace(env: Readonly<Record<string, string>> & { DATA_DIR: string }): Promise<string> {
  // Not spawnSync: the double serves from this very process.
  const child = spawn(process.execPath, ['dist/apps/cli/main.js', 'init'], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (code !== 0) throw new Error(`writ init ended with ${code ?? signal}`);
  return readFileSync(join(env.DATA_DIR, 'operator-token'), 'utf8').trim();
}
