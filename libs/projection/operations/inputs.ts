import { IsBoolean, IsOptional, IsString, Matches, MaxLength, MinLength } from 'class-validator';

export class ProjectionInput {
  @Matches(/^[a-z][a-z-]{0,40}$/, { message: 'must be a projection’s name' })
  name!: string;
}

export class RebuildInput extends ProjectionInput {
  /** From the beginning, even where a stopped rebuild could go on. */
  @IsOptional()
  @IsBoolean()
  anew?: boolean;
}

export class RetryInput extends ProjectionInput {
  @IsString()
  @MinLength(1)
  @MaxLength(300)
  stream!: string;
}
