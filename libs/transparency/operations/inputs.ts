import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { FromQuery, IsId } from '../../operation/fields.ts';
import { IsInstant } from '../../operation/is-instant.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../../proof/export-lines.ts';

export class CheckpointInput {
  /** The newest that was signed over at most so many leaves; absent: one over all there is. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  size?: number;
}

export class TileInput {
  /** `0`, `x001`, `234`: the elements of a tile's path. */
  @IsArray()
  @ArrayMaxSize(8)
  @IsString({ each: true })
  path!: string[];
}

export class InclusionInput {
  /** Of an event in the log: what `X-Log-Position` names, and a history shows. */
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  position!: number;
}

export class ConsistencyInput {
  /** Leaves of the older tree. */
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  from!: number;
}

export class ExportInput {
  /** `jsonl` (the default) can be verified offline; the others are for other tools. */
  @IsOptional()
  @IsIn(EXPORT_FORMATS)
  format?: ExportFormat;

  /** Its life, its uses and what it wrote. */
  @IsOptional()
  @IsId()
  token?: string;

  @IsOptional()
  @Matches(/^[a-z][a-z_]{0,63}$/, { message: 'must be the name of an operation' })
  operation?: string;

  /** `TokenRevoked`. */
  @IsOptional()
  @Matches(/^[A-Za-z]{1,64}$/, { message: 'must be the type of an event' })
  type?: string;

  /** Stored at this instant or later. */
  @IsOptional()
  @IsInstant()
  from?: string;

  /** Stored before this instant. */
  @IsOptional()
  @IsInstant()
  to?: string;

  /**
   * As JSON Lines: names, labels, client names and addresses beside each event that holds them sealed, with what shows
   * that they are those. The other formats always hold them.
   */
  @IsOptional()
  @FromQuery()
  @IsBoolean()
  open?: boolean;

  /** Leaves: up to a checkpoint signed over exactly so many, instead of one over all there is now. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  up_to?: number;

  /**
   * Goes on with an export that broke off, with the same `up_to`: the first leaf of which no whole line was received.
   * The answer has no head, and as JSON Lines its end counts and hashes this answer alone.
   */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  continue_from?: number;
}

export class CosignInput {
  /** The checkpoint's note with the witness's signature line, or several, under it. */
  @IsString()
  @MaxLength(20_000)
  note!: string;
}
