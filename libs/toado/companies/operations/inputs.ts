import { Type } from 'class-transformer';
import { IsObject, IsOptional, ValidateNested } from 'class-validator';
import { IsId, IsLine } from '../../../operation/fields.ts';
import { LimitInput } from '../../../operation/limit-input.ts';

const LONGEST_NAME = 200;

export class CompanyIdInput {
  @IsId()
  id!: string;
}

export class CreateCompanyInput {
  @IsLine(LONGEST_NAME)
  name!: string;
}

export class UpdateCompanyInput extends CompanyIdInput {
  @IsLine(LONGEST_NAME)
  name!: string;
}

/** A budget left out stays as it is; null gives it back to the catalogue. */
export class ChangeCompanyLimitsInput extends CompanyIdInput {
  @IsOptional()
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => LimitInput)
  reads?: LimitInput | null;

  @IsOptional()
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => LimitInput)
  writes?: LimitInput | null;
}
