import { cpus, totalmem } from 'node:os';
import type { CallFigures, RevocationFigures } from './calls.ts';
import type { LogFigures } from './log.ts';
import type { StartFigures } from './start.ts';
import type { ViewFigures } from './view.ts';

export interface Figures {
  /** The machine's load average before anything was measured: others at work on it. */
  readonly loadBefore: number;
  readonly calls: CallFigures;
  readonly revocations: RevocationFigures;
  readonly log: LogFigures;
  readonly view: readonly ViewFigures[];
  readonly start: StartFigures;
}

interface Target {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly met: boolean;
}

const GIB = 1024 ** 3;

/** The whole of docs/benchmarks.md. */
export function render(figures: Figures): string {
  const { calls, revocations, log, view, start } = figures;
  const processors = cpus();
  const machine = [
    `${processors.length} cores (${processors[0]?.model.trim() || 'model unknown'})`,
    `${(totalmem() / GIB).toFixed(0)} GiB of memory`,
    `Node ${process.version}`,
    new Date().toISOString().slice(0, 10),
    `load average ${figures.loadBefore.toFixed(1)} before the run`,
  ];
  return `# Benchmarks

Written by \`npm run bench\`: a report, not a test. Machine: ${machine.join(', ')}. The load came from a process of its
own on the same machine, over loopback. What counts is the ratio of figures from one run.

## Against their targets

${table(
  ['what', 'target', 'measured', ''],
  targets(figures).map(({ what, target, measured, met }) => [what, target, measured, met ? 'met' : '**missed**']),
)}

## Calls

\`GET /api/v1/me\` with 50 connections; the whole server hashes, looks up, meters and records durably before it answers.
All answer the same body. One server alive at a time, started anew for each round, order turned; median of three.

${table(
  ['server', 'calls a second', 'of bare Nest', 'P50 ms', 'P99 ms'],
  [
    ['bare `node:http`', calls.http],
    ['bare Nest on Express', calls.nest],
    ['Writ: memory view, embedded log', calls.full],
  ].map(([name, load]) => {
    const { perSecond, p50Ms, p99Ms } = load as CallFigures['http'];
    return [name as string, whole(perSecond), (perSecond / calls.nest.perSecond).toFixed(2), `${p50Ms}`, `${p99Ms}`];
  }),
)}

Revoking one token took ${revocations.revokeMs.toFixed(1)} ms (median, durable); the first 401 followed
${revocations.first401Ms.toFixed(1)} ms after that answer (median of whole calls, slowest
${revocations.slowest401Ms.toFixed(1)} ms), and ${revocations.passedAfter} calls passed in between.

## Embedded log

${table(
  ['callers', 'durable appends a second'],
  [
    ['1', whole(log.singlePerSecond)],
    ['50', whole(log.sharedPerSecond)],
  ],
)}

## Memory view

Tokens picked at random from all; each has names, digest and id of its own. The digest is part of every call.
What a large view costs more is the processor's cache missing; the full call at a million tokens is reckoned from the
full call measured above and the microseconds this adds to it.

${table(
  ['tokens', 'admissions a second', 'with the digest', 'bytes per token', 'bytes per window'],
  view.map((size) => [
    whole(size.tokens),
    whole(size.admitsPerSecond),
    whole(size.digestsAndAdmitsPerSecond),
    whole(size.bytesPerToken),
    whole(size.bytesPerWindow),
  ]),
)}

## Start

With 100,000 tokens and 1,000,000 events in the log, from spawning the process to the first 200 of \`/health/ready\`:
${start.readySeconds.toFixed(1)} s. The uses are a day old, so none refills a window. There is no snapshot (decision 0004).

Calls over 10 connections, while the read models catch up with that log and on a server with nothing to catch up with:

${table(
  ['', 'calls a second', 'P50 ms', 'P99 ms'],
  [
    ['catching up', whole(start.catchingUp.perSecond), `${start.catchingUp.p50Ms}`, `${start.catchingUp.p99Ms}`],
    ['idle', whole(start.idle.perSecond), `${start.idle.p50Ms}`, `${start.idle.p99Ms}`],
  ],
)}
`;
}

function targets({ calls, log, view, start, revocations }: Figures): readonly Target[] {
  const full = calls.full.perSecond / calls.nest.perSecond;
  const grouped = log.sharedPerSecond / log.singlePerSecond;
  const small = view[0];
  const large = view.at(-1);
  if (small === undefined || large === undefined) throw new Error('the view was not measured');
  const flat = large.digestsAndAdmitsPerSecond / small.digestsAndAdmitsPerSecond;
  const addedSeconds = 1 / large.digestsAndAdmitsPerSecond - 1 / small.digestsAndAdmitsPerSecond;
  const reckoned = 1 / (1 + addedSeconds * calls.full.perSecond);
  const behind = start.catchingUp.p99Ms / Math.max(1, start.idle.p99Ms);
  return [
    atLeast('full call, of bare Nest on Express', 0.75, full),
    atLeast('digest and admission alone at 1 M tokens, of those at 1 k', 0.9, flat),
    atLeast('full call at 1 M tokens, of that at 1 k (reckoned)', 0.9, reckoned),
    atMost('memory view, bytes per token (counters aside)', 1024, Math.round(large.bytesPerToken)),
    atMost('counter, bytes per window', 1024, Math.round(large.bytesPerWindow)),
    atLeast('50 callers at once, of single durable appends', 15, grouped),
    atMost('start with 100 k tokens and 1 M events, seconds', 20, start.readySeconds),
    atMost('P99 of a call while read models catch up, of its idle P99', 3, behind),
    atMost('calls that passed after an answered revocation', 0, revocations.passedAfter),
  ];
}

const atLeast = (what: string, target: number, measured: number): Target => ({
  what,
  target: `≥ ${target}`,
  measured: short(measured),
  met: measured >= target,
});

const atMost = (what: string, target: number, measured: number): Target => ({
  what,
  target: `≤ ${target}`,
  measured: short(measured),
  met: measured <= target,
});

const short = (figure: number): string => (Number.isInteger(figure) ? `${figure}` : figure.toFixed(2));
const whole = (figure: number): string => Math.round(figure).toLocaleString('en-US');

/** A Markdown table, its columns padded as prettier pads them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
