import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Listening, runSource } from './child.ts';
import type { LoadOrder, LoadResult } from './load.child.ts';

export interface Load extends LoadResult {
  /** Of the server's whole process, microseconds; null where the system does not tell (it is read from /proc). */
  readonly cpuPerCall: number | null;
}

export type LoadOptions = Omit<LoadOrder, 'url'>;

/** Load from a process of its own. @throws Error when any call failed: a fast refusal is no figure */
export async function load(server: Listening, path: string, options: LoadOptions): Promise<Load> {
  const order: LoadOrder = { ...options, url: server.url + path };
  const before = cpuSeconds(server.child.pid);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    runSource('test/bench/load.child.ts', JSON.stringify(order)),
  );
  const after = cpuSeconds(server.child.pid);
  const result = JSON.parse(stdout) as LoadResult;
  const spent = before === null || after === null ? null : after - before;
  return { ...result, cpuPerCall: spent === null ? null : (spent / result.calls) * 1_000_000 };
}

/** Ticks of user and system time stand 12th and 13th behind the command's closing parenthesis (proc_pid_stat(5)). */
function cpuSeconds(pid: number | undefined): number | null {
  if (process.platform !== 'linux' || pid === undefined) return null;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** USER_HZ, the same on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

export const median = (figures: readonly number[]): number => quantile(figures, 0.5);

/** The figure below which that share of them lies, 0 to 1, without 1. */
export const quantile = (figures: readonly number[], share: number): number =>
  figures.toSorted((a, b) => a - b)[Math.floor(figures.length * share)] ?? NaN;

/** The middle of several loads, figure by figure. */
export function middle(loads: readonly Load[]): Load {
  const of = (figure: (load: Load) => number): number => median(loads.map(figure));
  return {
    calls: of(({ calls }) => calls),
    perSecond: of(({ perSecond }) => perSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    cpuPerCall: loads.some(({ cpuPerCall }) => cpuPerCall === null) ? null : of(({ cpuPerCall }) => cpuPerCall ?? NaN),
  };
}

/**
 * Each candidate once a round, the order turned from round to round, so that what else happens on the machine strikes
 * all of them alike.
 */
export async function inTurns<Name extends string>(
  rounds: number,
  candidates: Readonly<Record<Name, () => Promise<Load>>>,
): Promise<Record<Name, Load[]>> {
  const names = Object.keys(candidates) as Name[];
  const loads = Object.fromEntries(names.map((name) => [name, [] as Load[]])) as Record<Name, Load[]>;
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round) % names.length]!;
      loads[name].push(await candidates[name]());
    }
  }
  return loads;
}

/** The median of the rounds' ratios of their rates: what slowed a whole round does not show in it. */
export const ratio = (loads: readonly Load[], to: readonly Load[]): number =>
  median(loads.map(({ perSecond }, round) => perSecond / (to[round]?.perSecond ?? NaN)));
