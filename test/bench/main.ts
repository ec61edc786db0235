/**
 * `npm run bench`: measures, and writes docs/benchmarks.md. A report, not a test: nothing fails for being slow.
 * With names of subjects (`npm run bench -- calls log`) only those are measured, and only printed.
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { auditPages } from './audit-pages.ts';
import { calls } from './calls.ts';
import { eventstore } from './eventstore.ts';
import { history } from './history.ts';
import { log } from './log.ts';
import { manyTokens } from './many-tokens.ts';
import { memoryView } from './memory-view.ts';
import { mcp } from './mcp.ts';
import { noisyNeighbour } from './noisy-neighbour.ts';
import { rebuilds } from './rebuilds.ts';
import { render } from './report.ts';
import { revocation } from './revocation.ts';
import { start } from './start.ts';
import type { Findings, Subject } from './subject.ts';
import { ticketLists } from './ticket-lists.ts';

/** In the order of the report. */
const SUBJECTS: readonly Subject[] = [
  calls,
  mcp,
  manyTokens,
  revocation,
  log,
  eventstore,
  memoryView,
  start,
  ticketLists,
  noisyNeighbour,
  rebuilds,
  history,
  auditPages,
];

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !SUBJECTS.some((subject) => subject.name === name));
if (unknown !== undefined) {
  console.error(`There is no ${unknown} to measure, only: ${SUBJECTS.map(({ name }) => name).join(', ')}.`);
  process.exit(1);
}

const loadBefore = loadavg()[0] ?? 0;
const findings: Findings[] = [];
for (const subject of SUBJECTS) {
  if (wanted.length > 0 && !wanted.includes(subject.name)) continue;
  console.log(`${subject.name} …`);
  findings.push(await subject.measure());
}

const report = render(findings, loadBefore);
if (wanted.length === 0) writeFileSync('docs/benchmarks.md', report);
console.log(report);
