import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { Evidence } from './evidence.ts';

/** One row of the report: what was broken, how often, and what came of it. */
export interface Rounds {
  /** What stood: processes, log, view. */
  readonly set: string;
  readonly broken: string;
  readonly rounds: number;
  readonly evidence: Evidence;
  readonly violations: number;
}

const HEAD = `# Faults

Written by \`npm run test:faults\`: the same tests as in \`npm test\`, with more rounds (50 of each, if nobody stops it; the table says how many). A dozen callers and more read and write; things break under them; then every answer they got is held against the log. A violation is an answered call the log does not hold exactly once (P1), one key under which two things were made (P1), a call begun after its token's revocation was answered that was not refused (P2), or 60 seconds in which a token was granted more than its limit (P3).

<!-- prettier-ignore -->
| what stood | what was broken | rounds | calls answered | of these successes, each looked up in the log | tokens revoked | calls by dead tokens | answered 503 | violations |
| ---------- | --------------- | ------ | -------------- | --------------------------------------------- | -------------- | -------------------- | ------------ | ---------- |
`;

/** Adds a row to the file \`WRIT_FAULT_REPORT\` names; nothing where it names none. A row of the same set is replaced. */
export function reportRounds({ set, broken, rounds, evidence, violations }: Rounds): void {
  const file = process.env['WRIT_FAULT_REPORT'];
  if (file === undefined) return;
  const { answers, succeeded, revoked } = evidence;
  const unavailable = answers.filter(({ status }) => status === 503).length;
  const figures = [rounds, answers.length, succeeded.length, revoked.size, evidence.afterRevocation().length];
  const row = `| ${[set, broken, ...figures, unavailable, violations].join(' | ')} |`;
  const kept = existsSync(file)
    ? rowsOf(readFileSync(file, 'utf8')).filter((other) => !other.startsWith(`| ${set} `))
    : [];
  writeFileSync(file, `${HEAD}${[...kept, row].join('\n')}\n\n${machine()}\n`);
}

const rowsOf = (text: string): string[] =>
  text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| what') && !line.startsWith('| --'));

function machine(): string {
  const [cpu] = cpus();
  const memoryGiB = Math.round(totalmem() / 1024 ** 3);
  return `On ${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${memoryGiB} GiB, Node ${process.versions.node}.`;
}
