import { IsNumber, IsString, Max, MaxLength, Min, MinLength, ValidateIf } from 'class-validator';
import { IsId, IsLine } from '../../../operation/fields.ts';
import { PageInput } from '../../../operation/page-input.ts';

const LONGEST_NAME = 200;
const LONGEST_TEXT = 10_000;

export class AssetIdInput {
  @IsId()
  id!: string;
}

export class AnnotationOfAssetInput extends AssetIdInput {
  @IsId()
  annotation!: string;
}

export class ListOfAssetInput extends PageInput {
  @IsId()
  id!: string;
}

export class UploadAssetInput {
  /** The ticket. */
  @IsId()
  id!: string;

  /** What the file is called. */
  @IsLine(LONGEST_NAME)
  name!: string;
}

const FINITE = { allowNaN: false, allowInfinity: false };
/** A box has both, a point neither. */
const isBox = ({ width, height }: AnnotateAssetInput): boolean => width !== undefined || height !== undefined;

/** Fractions of width and height, from the upper left corner. */
export class AnnotateAssetInput extends AssetIdInput {
  @IsNumber(FINITE)
  @Min(0)
  @Max(1)
  x!: number;

  @IsNumber(FINITE)
  @Min(0)
  @Max(1)
  y!: number;

  @ValidateIf(isBox)
  @IsNumber(FINITE)
  @Min(0)
  @Max(1)
  width?: number;

  @ValidateIf(isBox)
  @IsNumber(FINITE)
  @Min(0)
  @Max(1)
  height?: number;

  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_TEXT)
  text!: string;
}
