import { IsInt, Max, Min, ValidateIf } from 'class-validator';

const MOST_PER_MINUTE = 1_000_000;

/** One budget's limit. */
export class LimitInput {
  /** Null: the company's, else the catalogue's. */
  @ValidateIf((limit: LimitInput) => limit.per_minute !== null)
  @IsInt()
  @Min(1)
  @Max(MOST_PER_MINUTE)
  per_minute!: number | null;
}

/** A budget left out is left out; one given as null is one given back to its default. */
export const budgetsOf = ({
  reads,
  writes,
}: {
  readonly reads?: LimitInput | null;
  readonly writes?: LimitInput | null;
}): { reads?: number | null; writes?: number | null } => ({
  ...(reads === undefined ? {} : { reads: reads?.per_minute ?? null }),
  ...(writes === undefined ? {} : { writes: writes?.per_minute ?? null }),
});
