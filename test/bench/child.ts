import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const TYPES = ['--experimental-transform-types', '--disable-warning=ExperimentalWarning'];

/** Node's arguments to run one of our sources as it stands. */
export const runSource = (path: string, ...args: string[]): string[] => [...TYPES, path, ...args];

export interface Listening {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Runs one of `servers/` until it says where it listens. */
export async function startBenchServer(name: string, env: Readonly<Record<string, string>>): Promise<Listening> {
  const path = `test/bench/servers/${name}.ts`;
  const child = spawn(process.execPath, runSource(path), {
    env: { ...process.env, PORT: '0', HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /listens on (\S+)/.exec(line)?.[1];
    if (url !== undefined) return { url, child };
  }
  throw new Error(`${path} ended before it listened`);
}

/** At once: what it still had to catch up with must not weigh on what is measured next. */
export async function end({ child }: Pick<Listening, 'child'>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
