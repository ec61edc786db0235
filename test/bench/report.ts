import { cpus, totalmem } from 'node:os';
import { table } from './markdown.ts';
import type { Findings } from './subject.ts';

const GIB = 1024 ** 3;

/** The whole of docs/benchmarks.md. `loadBefore`: the machine's load average before the run, others at work on it. */
export function render(findings: readonly Findings[], loadBefore: number): string {
  const processors = cpus();
  const machine = [
    `${processors.length} cores (${processors[0]?.model.trim() || 'model unknown'})`,
    `${(totalmem() / GIB).toFixed(0)} GiB of memory`,
    `Node ${process.version}`,
    new Date().toISOString().slice(0, 10),
    `load average ${loadBefore.toFixed(1)} before the run`,
  ];
  const targets = findings.flatMap((one) => one.targets);
  return `# Benchmarks

Written by \`npm run bench\`: a report, not a test. Machine: ${machine.join(', ')}. The load came from a process of its
own on the same machine, over loopback. What counts is the ratio of figures from one run. Where a ratio is of two loads,
they took turns for several rounds and it is the median of the rounds' ratios. "CPU µs" is what the server's process
spent per call, all its threads together: it hardly knows who else is at work on the machine, as a rate does.

## Against their targets

${table(
  ['what', 'target', 'measured', ''],
  targets.map(({ what, target, measured, met }) => [what, target, measured, met ? 'met' : '**missed**']),
)}

${findings.map(({ section }) => section.trim()).join('\n\n')}
`;
}
