import type { Frame } from '../../../libs/tokens/replay/replay-token.ts';
import { columns } from './table.ts';

/** One line: when, what, and what the token could do then. */
export function frameText({ time, type, record }: Frame): string {
  const { status, scopes, limits } = record;
  const left = ({ per_minute, used }: { readonly per_minute: number; readonly used: number }): string =>
    `${Math.max(0, per_minute - used)} of ${per_minute}`;
  const row = [
    time,
    (type ?? 'at that moment').padEnd(18),
    status.padEnd(9),
    `${left(limits.reads)} reads left`,
    `${left(limits.writes)} writes left`,
    scopes.join(' '),
  ];
  return columns(row, []);
}
