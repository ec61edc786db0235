import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runSource } from './child.ts';
import { table, whole } from './markdown.ts';
import type { ViewFigures } from './memory-view.child.ts';
import { atMost, type Findings, type Subject } from './subject.ts';

/** The memory view alone, in a process of its own. */
export const memoryView: Subject = { name: 'memory-view', measure };

async function measure(): Promise<Findings> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--max-old-space-size=8192',
    ...runSource('test/bench/memory-view.child.ts'),
  ]);
  const sizes = JSON.parse(stdout) as ViewFigures[];
  const large = sizes.at(-1);
  if (large === undefined) throw new Error('the view was not measured');
  return {
    targets: [
      atMost('memory view, bytes per token (counters aside)', 1024, Math.round(large.bytesPerToken)),
      atMost('counter, bytes per window', 1024, Math.round(large.bytesPerWindow)),
    ],
    section: `## Memory view

Tokens picked at random from all; each has names, digest and id of its own. The digest is part of every call. What a
large view costs more is the processor's cache missing: nanoseconds beside the microseconds of a call.

${table(
  ['tokens', 'admissions a second', 'with the digest', 'bytes per token', 'bytes per window'],
  sizes.map((size) => [
    whole(size.tokens),
    whole(size.admitsPerSecond),
    whole(size.digestsAndAdmitsPerSecond),
    whole(size.bytesPerToken),
    whole(size.bytesPerWindow),
  ]),
)}`,
  };
}
