import type { Row } from './change.ts';
import type { Gather, Table } from './projection.ts';

/** One row of what several `gather` changes bring to it, in their order. */
export function gathered(gathers: NonNullable<Table['gathers']>, before: Row, next: Row): Row {
  const row: Record<string, unknown> = { ...before };
  for (const [column, how] of Object.entries(gathers)) row[column] = gatheredValue(how, before[column], next[column]);
  return row;
}

/** The same in SQL: the row there is `t`. Both leave out nulls. */
export function gatherSql(column: string, how: Gather): string {
  const [there, brought] = [`t."${column}"`, `excluded."${column}"`];
  switch (how) {
    case 'append':
      return `"${column}" = concat(${there}, ${brought})`;
    case 'least':
      return `"${column}" = least(${there}, ${brought})`;
    case 'greatest':
      return `"${column}" = greatest(${there}, ${brought})`;
    default:
      return unknownGather(how);
  }
}

function gatheredValue(how: Gather, there: unknown, brought: unknown): unknown {
  if (there === null || there === undefined) return brought;
  if (brought === null || brought === undefined) return there;
  const [a, b] = [there as string | number, brought as string | number];
  switch (how) {
    case 'append':
      return `${a}${b}`;
    case 'least':
      return a <= b ? a : b;
    case 'greatest':
      return a >= b ? a : b;
    default:
      return unknownGather(how);
  }
}

function unknownGather(how: never): never {
  throw new Error(`unknown way to gather ${String(how)}`);
}
