import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

const MOST_ITEMS = 200;
const DEFAULT_ITEMS = 50;

/** What every list takes (DESIGN §5). */
export class PageInput {
  /** `next` of the page before. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  cursor?: string;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MOST_ITEMS)
  limit?: number;
}

export const pageOfInput = ({
  cursor,
  limit,
}: PageInput): { readonly cursor: string | null; readonly limit: number } => ({
  cursor: cursor ?? null,
  limit: limit ?? DEFAULT_ITEMS,
});
