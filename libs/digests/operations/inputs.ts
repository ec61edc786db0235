import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { IsInstant } from '../../operation/is-instant.ts';
import { PageInput } from '../../operation/page-input.ts';
import { PERIOD_KINDS, type PeriodKind } from '../period.ts';
import { MOST_ROWS } from '../workspace-tally.ts';

export class ListDigestsInput extends PageInput {
  @IsOptional()
  @IsIn(PERIOD_KINDS)
  period?: PeriodKind;

  /** Of periods that begin at this instant or later. */
  @IsOptional()
  @IsInstant()
  from?: string;

  /** Of periods that begin before this instant. */
  @IsOptional()
  @IsInstant()
  to?: string;
}

const FORMATS = ['json', 'markdown', 'html'] as const;
export type DigestFormat = (typeof FORMATS)[number];

export class GetDigestInput {
  /** `2026-11-24`, `2026-W48`, `2026-11`. */
  @Matches(/^\d{4}-(?:\d{2}(?:-\d{2})?|W\d{2})$/, {
    message: 'must be a day, week or month: 2026-11-24, 2026-W48, 2026-11',
  })
  id!: string;

  /** `json` by default; the others are pages for people, over REST only. */
  @IsOptional()
  @IsIn(FORMATS)
  format?: DigestFormat;

  /** Of each list; all there are by default. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(MOST_ROWS)
  rows?: number;
}
