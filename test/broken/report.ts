import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export const PAGE = 'docs/broken-on-purpose.md';

/** One breakage, and what came of it. */
export interface Row {
  readonly promise: string;
  readonly broken: string;
  readonly file: string;
  /** Title and spec of the test that failed; null: no test that names the promise did. */
  readonly caughtBy: { readonly title: string; readonly spec: string } | null;
}

const HEAD = `# Broken on purpose

Written by \`npm run test:broken\`. Each line is one clause of a promise, broken in a copy of the code: the text that was changed stands in \`test/broken/\`. A breakage is caught when a test that names the promise passes on the whole code and, on the broken one, finds what it expects not to be so. That the code no longer loads, builds or answers does not count.

`;

const TABLE = `<!-- prettier-ignore -->
| promise | what was broken | in | caught by |
| ------- | --------------- | -- | --------- |
`;

/** The rows of the page, as text, by promise and what was broken. */
export function readRows(): ReadonlyMap<string, string> {
  const text = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const rows = text.split('\n').filter((line) => /^\| P\d+ /.test(line));
  return new Map(rows.map((row) => [row.split(' | ').slice(0, 2).join(' | ').slice('| '.length), row]));
}

export const keyOf = ({ promise, broken }: Pick<Row, 'promise' | 'broken'>): string => `${promise} | ${cell(broken)}`;

/** Writes the page: the rows of this run, and of others those that are still in the list. */
export function writePage(listed: readonly Pick<Row, 'promise' | 'broken'>[], ran: readonly Row[]): void {
  const rows = new Map([...readRows(), ...ran.map((row): [string, string] => [keyOf(row), rowText(row)])]);
  const kept = listed.flatMap((each) => rows.get(keyOf(each)) ?? []);
  const caught = kept.filter((row) => !row.includes(NOT_CAUGHT)).length;
  writeFileSync(PAGE, `${HEAD}${caught} of ${kept.length} are caught.\n\n${TABLE}${kept.join('\n')}\n`);
}

export const NOT_CAUGHT = '**not caught**';

const rowText = ({ promise, broken, file, caughtBy }: Row): string => {
  const by = caughtBy === null ? NOT_CAUGHT : `“${cell(caughtBy.title)}” in \`${caughtBy.spec}\``;
  return `| ${promise} | ${cell(broken)} | \`${file}\` | ${by} |`;
};

const cell = (text: string): string => text.replaceAll('|', '\\|');
