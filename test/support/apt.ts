import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const LOCK = path.join(tmpdir(), 'writ-apt.lock');
const LOCK_WAIT_MS = 240_000;

export const canInstall = (): boolean => process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');

/** Installs a Debian package unless `there()`, one process at a time: apt refuses a second. @throws what apt said */
export async function aptInstall(packageName: string, there: () => boolean): Promise<void> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  while (!locked()) {
    if (there()) return;
    if (performance.now() > deadline) throw new Error(`${LOCK} is held by another process; remove it if none runs`);
    await sleep(500);
  }
  try {
    if (there()) return;
    await aptGet('update');
    await aptGet('install', '-y', '--no-install-recommends', packageName);
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
}

/** Making a folder is the one check-and-set every file system has. */
function locked(): boolean {
  try {
    mkdirSync(LOCK);
    return true;
  } catch {
    return false;
  }
}

function aptGet(...command: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = spawn('apt-get', command, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    apt.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    apt.once('error', reject);
    apt.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`apt-get ${command.join(' ')} ended with ${code}: ${said}`)),
    );
  });
}

/** Output of a short-lived program. */
export const output = async (file: string, ...command: string[]): Promise<string> =>
  (await promisify(execFile)(file, command)).stdout;
