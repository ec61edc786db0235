import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { IsInstant } from '../../operation/is-instant.ts';
import { IsLabel } from '../../operation/is-label.ts';
import { LimitInput } from '../../operation/limit-input.ts';
import { PageInput } from '../../operation/page-input.ts';

const TOKEN_ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export class NoInput {}

export class TokenIdInput {
  @Matches(TOKEN_ID, { message: 'must be a token id' })
  id!: string;
}

export class RestrictInput {
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(64, { each: true })
  companies?: string[];

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(64, { each: true })
  projects?: string[];
}

export class LimitsInput {
  @IsOptional()
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => LimitInput)
  reads?: LimitInput;

  @IsOptional()
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => LimitInput)
  writes?: LimitInput;
}

export class CreateTokenInput {
  @IsString()
  @MaxLength(32)
  catalogue!: string;

  @IsLabel()
  name!: string;

  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(64, { each: true })
  scopes!: string[];

  @IsOptional()
  @IsIn(['agent', 'person'])
  kind?: 'agent' | 'person';

  /** Person id; another person than the caller's owner needs `people:write`. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  owner?: string;

  @IsOptional()
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => RestrictInput)
  restrict?: RestrictInput;

  @IsOptional()
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => LimitsInput)
  limits?: LimitsInput;

  @IsOptional()
  @IsInstant()
  expires_at?: string;
}

export class ChangeTokenInput extends TokenIdInput {
  @ValidateIf((input: ChangeTokenInput) => input.name !== undefined)
  @IsLabel()
  name?: string;

  @ValidateIf((input: ChangeTokenInput) => input.scopes !== undefined)
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(64, { each: true })
  scopes?: string[];

  @ValidateIf((input: ChangeTokenInput) => input.restrict !== undefined)
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => RestrictInput)
  restrict?: RestrictInput;

  @ValidateIf((input: ChangeTokenInput) => input.limits !== undefined)
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => LimitsInput)
  limits?: LimitsInput;

  /** Null: never. */
  @IsOptional()
  @IsInstant()
  expires_at?: string | null;
}

export class RevokeTokenInput extends TokenIdInput {
  @IsOptional()
  @IsIn(['by_hand', 'offboarding', 'leak', 'idle'])
  reason?: 'by_hand' | 'offboarding' | 'leak' | 'idle';

  @IsOptional()
  @IsString()
  @MaxLength(500)
  note?: string;
}

const MONTH_SECONDS = 31 * 86_400;

export class RotateTokenInput extends TokenIdInput {
  /** How long the old one lives on; 0: cut-over; absent: side by side, until it is revoked. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MONTH_SECONDS)
  overlap_seconds?: number;
}

export class GetTokenInput extends TokenIdInput {
  /** The record as it was at this instant (P10). */
  @IsOptional()
  @IsInstant()
  at?: string;
}

export class ListTokensInput extends PageInput {
  @IsOptional()
  @IsString()
  @MaxLength(64)
  owner?: string;

  @IsOptional()
  @IsString()
  @MaxLength(32)
  catalogue?: string;
}

export class TokenHistoryInput extends PageInput {
  @Matches(TOKEN_ID, { message: 'must be a token id' })
  id!: string;
}
