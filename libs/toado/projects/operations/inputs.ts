import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsOptional,
  IsString,
  MaxLength,
  ValidateIf,
} from 'class-validator';
import { FromQuery, IsId, IsLine } from '../../../operation/fields.ts';
import { PageInput } from '../../../operation/page-input.ts';
import { ColumnPlacementInput } from '../../placement-input.ts';
import { MOST_COLUMNS } from '../decide.ts';

const LONGEST_NAME = 200;
const LONGEST_DESCRIPTION = 50_000;

export class ProjectIdInput {
  @IsId()
  id!: string;
}

export class ColumnIdInput {
  @IsId()
  id!: string;
}

export class ListProjectsInput extends PageInput {
  @IsOptional()
  @IsId()
  company?: string;

  /** Archived ones instead of the others. */
  @IsOptional()
  @FromQuery()
  @IsBoolean()
  archived?: boolean;
}

export class ListProjectsOfCompanyInput extends PageInput {
  @IsId()
  id!: string;
}

export class CreateProjectInput {
  @IsId()
  company!: string;

  @IsLine(LONGEST_NAME)
  name!: string;

  /** Markdown. */
  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_DESCRIPTION)
  description?: string;

  /** Names of its columns, in their order; else: To do, Doing, Done. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_COLUMNS)
  @IsLine(LONGEST_NAME, { each: true })
  columns?: string[];
}

export class UpdateProjectInput extends ProjectIdInput {
  @ValidateIf((input: UpdateProjectInput) => input.name !== undefined)
  @IsLine(LONGEST_NAME)
  name?: string;

  @ValidateIf((input: UpdateProjectInput) => input.description !== undefined)
  @IsString()
  @MaxLength(LONGEST_DESCRIPTION)
  description?: string;
}

export class CreateColumnInput extends ColumnPlacementInput {
  @IsId()
  project!: string;

  @IsLine(LONGEST_NAME)
  name!: string;
}

export class ColumnOfProjectInput {
  @IsId()
  project!: string;

  @IsId()
  id!: string;
}

export class UpdateColumnInput extends ColumnOfProjectInput {
  @IsLine(LONGEST_NAME)
  name!: string;
}

export class MoveColumnInput extends ColumnPlacementInput {
  @IsId()
  project!: string;

  @IsId()
  id!: string;
}
