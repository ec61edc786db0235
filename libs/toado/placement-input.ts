import { IsIn, IsOptional } from 'class-validator';
import { IsId } from '../operation/fields.ts';
import { invalid, type Problem } from '../problem/problem.ts';
import type { Placement } from './ordering.ts';

/** At most one of the three; none: last. */
interface GivenPlacement {
  readonly position?: 'top' | 'bottom' | 'first' | 'last' | undefined;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/** Where among a project's columns. */
export class ColumnPlacementInput {
  @IsOptional()
  @IsIn(['first', 'last'])
  position?: 'first' | 'last';

  /** A column of the same project. */
  @IsOptional()
  @IsId()
  before?: string;

  @IsOptional()
  @IsId()
  after?: string;
}

/** The placement an input names, or what is wrong with it. */
export function placementOf({
  position,
  before,
  after,
}: GivenPlacement): { readonly placement: Placement } | { readonly problem: Problem } {
  const given = [position, before, after].filter((each) => each !== undefined);
  if (given.length > 1) {
    return { problem: invalid([{ field: 'position', message: 'give one of position, before and after' }]) };
  }
  if (before !== undefined) return { placement: { before } };
  if (after !== undefined) return { placement: { after } };
  return { placement: position === 'top' || position === 'first' ? 'first' : 'last' };
}
