import { BREAKAGES, type Listed } from './breakages.ts';
import { namesPromise } from './breakage.ts';
import { Compiler } from './compiler.ts';
import { Copy } from './copy.ts';
import { keyOf, NOT_CAUGHT, readRows, type Row, writePage } from './report.ts';
import { runSpec, type SpecRun } from './run-spec.ts';

/**
 * All of them; with `-- P3 P4` those of these promises; with `-- missed` those that the page does not say to be caught.
 * Exits with 1 when one is not caught.
 */
const wanted = process.argv.slice(2);
const before = readRows();
const isMissed = (breakage: Listed): boolean => before.get(keyOf(breakage))?.includes(NOT_CAUGHT) ?? true;
const breakages = BREAKAGES.filter(
  (breakage) =>
    wanted.length === 0 || wanted.includes(breakage.promise) || (wanted.includes('missed') && isMissed(breakage)),
);

const patternOf = ({ promise, tests }: Listed): string => tests ?? `\\b${promise}\\b`;

const compiler = new Compiler(process.cwd());
const copy = new Copy(process.cwd());
process.once('exit', () => copy.remove());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** What the tests of a breakage say of the whole code; each asked once. */
const whole = new Map<string, Promise<SpecRun>>();
function ranWhole(breakage: Listed): Promise<SpecRun> {
  const key = `${breakage.spec} ${patternOf(breakage)}`;
  const known = whole.get(key) ?? runSpec(copy.folder, breakage.spec, patternOf(breakage));
  whole.set(key, known);
  return known;
}

/** Why no test has caught it, or the title of the one that has. */
async function tryOut(breakage: Listed): Promise<{ readonly caught: string } | { readonly why: string }> {
  const { promise, spec } = breakage;
  const complaint = compiler.complaintOf(breakage);
  if (complaint !== null) return { why: `it does not compile: ${complaint}` };
  const unbroken = await ranWhole(breakage);
  if ('fault' in unbroken) return { why: `unbroken, ${unbroken.fault}` };
  const failed = unbroken.tests.find(({ passed }) => !passed);
  if (failed !== undefined) return { why: `“${failed.titles.join(' ')}” fails unbroken` };
  const run = await copy.broken(breakage, () => runSpec(copy.folder, spec, patternOf(breakage)));
  if ('fault' in run) return { why: run.fault };
  const failures = run.tests.filter(({ passed }) => !passed);
  const caught = failures.find(({ titles, asserted }) => asserted && namesPromise(titles, promise));
  if (caught !== undefined) return { caught: caught.titles.join(' ') };
  const others = failures.map(({ titles, asserted }) => `“${titles.join(' ')}” ${asserted ? 'fails' : 'errs'}`);
  return { why: others.length === 0 ? 'all tests pass' : others.join(', ') };
}

const rows: Row[] = [];
for (const breakage of breakages) {
  const { promise, broken, file, spec } = breakage;
  const outcome = await tryOut(breakage);
  console.log(
    'caught' in outcome
      ? `${promise} caught by “${outcome.caught}” in ${spec}: ${broken}`
      : `${promise} NOT CAUGHT by ${spec}: ${broken} (${outcome.why})`,
  );
  rows.push({ promise, broken, file, caughtBy: 'caught' in outcome ? { title: outcome.caught, spec } : null });
  writePage(BREAKAGES, rows);
}
const missed = rows.filter(({ caughtBy }) => caughtBy === null).length;
console.log(`${rows.length - missed} of ${rows.length} caught.`);
process.exit(missed === 0 ? 0 : 1);
