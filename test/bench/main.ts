/** `npm run bench`: measures, and writes docs/benchmarks.md. A report, not a test: nothing fails for being slow. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { promisify } from 'node:util';
import { measureCalls, measureRevocations } from './calls.ts';
import { runSource } from './child.ts';
import { measureAppends } from './log.ts';
import { render } from './report.ts';
import { measureStart } from './start.ts';
import type { ViewFigures } from './view.ts';

const say = (text: string): void => console.log(text);

const loadBefore = loadavg()[0] ?? 0;
say('calls …');
const calls = await measureCalls();
say(`  full call ${(calls.full.perSecond / calls.nest.perSecond).toFixed(2)} of bare Nest`);
say('revocations …');
const revocations = await measureRevocations();
say('appends …');
const log = await measureAppends();
say('view …');
const { stdout } = await promisify(execFile)(
  process.execPath,
  runSource('test/bench/view.ts', '--expose-gc', '--max-old-space-size=8192'),
);
const view = JSON.parse(stdout) as ViewFigures[];
say('start …');
const start = await measureStart();

const report = render({ loadBefore, calls, revocations, log, view, start });
writeFileSync('docs/benchmarks.md', report);
say(report);
