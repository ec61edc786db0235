import Table from 'cli-table3';

const PLACES =
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid';
const NO_LINES = Object.fromEntries(PLACES.split(' ').map((place) => [place, '']));
const STYLE = { head: [], border: [], 'padding-left': 0, 'padding-right': 0 };

/** Columns two spaces apart under their names: good for eyes, `grep` and `awk` alike. */
export function columns(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({ head: [...names], chars: { ...NO_LINES, middle: '  ' }, style: STYLE });
  table.push(...rows.map((row) => row.map(visible)));
  return trimEnds(table.toString());
}

/** One thing, a line for each of its members. */
export function members(rows: readonly (readonly [name: string, value: string])[]): string {
  const table = new Table({ chars: { ...NO_LINES, middle: '  ' }, style: STYLE });
  table.push(...rows.map(([name, value]) => [name, visible(value)]));
  return trimEnds(table.toString());
}

/** Recorded text may come from anywhere: none of it may steer the terminal. */
const visible = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '�');

const trimEnds = (text: string): string => text.replaceAll(/ +$/gm, '');
