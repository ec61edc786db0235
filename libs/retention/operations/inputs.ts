import { IsString, MaxLength, MinLength } from 'class-validator';
import { IsId } from '../../operation/fields.ts';

export class PlaceHoldInput {
  /** The case it is for, and who asked. */
  @IsString()
  @MinLength(1)
  @MaxLength(1000)
  reason!: string;
}

export class LiftHoldInput extends PlaceHoldInput {
  @IsId()
  hold!: string;
}
