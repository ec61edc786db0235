import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const TYPES = ['--experimental-transform-types', '--disable-warning=ExperimentalWarning'];

/** Node's arguments to run one of our sources as it stands. */
export const runSource = (path: string, ...flags: string[]): string[] => [...flags, ...TYPES, path];

export interface Listening {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Runs a server of ours until it says where it listens. */
export async function startBare(path: string, body: string): Promise<Listening> {
  const child = spawn(process.execPath, runSource(path), {
    env: { ...process.env, BODY: body },
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

export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface AutocannonResult {
  readonly requests: { readonly average: number };
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly errors: number;
  readonly non2xx: number;
}

/** Load from a process of its own. @throws Error when any call failed: a fast refusal is no figure */
export async function load(url: string, seconds: number, connections: number, token?: string): Promise<Load> {
  const header = token === undefined ? [] : ['-H', `authorization=Bearer ${token}`];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['node_modules/autocannon/autocannon.js', '-j', '-n', '-c', `${connections}`, '-d', `${seconds}`, ...header, url],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  const { requests, latency, errors, non2xx } = JSON.parse(stdout) as AutocannonResult;
  if (errors + non2xx > 0) throw new Error(`${errors + non2xx} calls failed of a load on ${url}`);
  return { perSecond: requests.average, p50Ms: latency.p50, p99Ms: latency.p99 };
}

export function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;
}
