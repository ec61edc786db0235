import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** One test that ran: its title last, after those it stands in. */
export interface TestRun {
  readonly titles: readonly string[];
  readonly passed: boolean;
  /** What it expected was not so; else it failed by an error, before it could tell. */
  readonly asserted: boolean;
}

/** Either the tests that ran, or why none could. */
export type SpecRun = { readonly tests: readonly TestRun[] } | { readonly fault: string };

/** Longest that one run may take. */
const RUN_MS = 240_000;

const JEST = [
  '--no-sparkplug',
  '--disable-warning=ExperimentalWarning',
  '--experimental-vm-modules',
  'node_modules/jest/bin/jest.js',
  '--runInBand',
  '--ci',
  '--forceExit',
];

/** Runs those tests of a spec whose names match, in that folder. */
export async function runSpec(folder: string, spec: string, tests: string): Promise<SpecRun> {
  const file = join(folder, 'spec-run.json');
  rmSync(file, { force: true });
  const args = [...JEST, '--json', '--outputFile', file, '-t', tests, '--runTestsByPath', spec];
  // A group of its own, so that a run which hangs is ended with all it has started.
  const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore', detached: true });
  const endAll = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All of them are gone.
    }
  };
  const timer = setTimeout(endAll, RUN_MS);
  process.once('exit', endAll);
  await once(child, 'exit');
  clearTimeout(timer);
  process.off('exit', endAll);
  endAll();
  if (!existsSync(file)) return { fault: `it did not end within ${RUN_MS / 1000} s` };
  return outcomeOf(JSON.parse(readFileSync(file, 'utf8')) as JestReport);
}

/** As much of jest's report as is read here. */
interface JestReport {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Of `expect`, or of fast-check, which wraps what it found. */
const ASSERTION = /^(?:Error: )?(?:expect\(|Property failed)/;

function outcomeOf({ testResults }: JestReport): SpecRun {
  const ran = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed' || status === 'failed')
    .map(({ ancestorTitles, title, status, failureMessages }) => ({
      titles: [...ancestorTitles, title],
      passed: status === 'passed',
      asserted: failureMessages.some((message) => ASSERTION.test(message)),
    }));
  if (ran.length > 0) return { tests: ran };
  const [line = 'no test of that name'] = testResults.map(({ message }) => message.trim()).filter(Boolean);
  return { fault: `nothing ran: ${line.split('\n').slice(0, 3).join(' ')}` };
}
