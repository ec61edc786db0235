import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsOptional,
  IsString,
  MaxLength,
  MinLength,
  ValidateIf,
} from 'class-validator';
import { FromQuery, IsId, IsLine } from '../../../operation/fields.ts';
import { PageInput } from '../../../operation/page-input.ts';
import { MOST_ASSIGNEES } from '../decide.ts';
import { IsBranchName } from '../is-branch-name.ts';

const LONGEST_TITLE = 300;
const LONGEST_BODY = 500_000;
const LONGEST_COMMENT = 50_000;

export class TicketIdInput {
  @IsId()
  id!: string;
}

export class ListOfTicketInput extends PageInput {
  @IsId()
  id!: string;
}

export class ListTicketsInput extends PageInput {
  @IsOptional()
  @IsId()
  company?: string;

  @IsOptional()
  @IsId()
  project?: string;

  /** Of one column: in its order. */
  @IsOptional()
  @IsId()
  column?: string;

  /** A person's id. */
  @IsOptional()
  @IsId()
  assignee?: string;

  @IsOptional()
  @IsBranchName()
  branch?: string;

  /** Archived ones instead of the others. */
  @IsOptional()
  @FromQuery()
  @IsBoolean()
  archived?: boolean;
}

/** Where in a column: at most one of the three; none: at the bottom. */
export class TicketPlacementInput {
  @IsOptional()
  @IsIn(['top', 'bottom'])
  position?: 'top' | 'bottom';

  /** A ticket of that column. */
  @IsOptional()
  @IsId()
  before?: string;

  @IsOptional()
  @IsId()
  after?: string;
}

export class CreateTicketInput extends TicketPlacementInput {
  @IsId()
  project!: string;

  /** Else the project's first. */
  @IsOptional()
  @IsId()
  column?: string;

  @IsLine(LONGEST_TITLE)
  title!: string;

  /** Markdown. */
  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_BODY)
  body?: string;

  /** The git branch it is worked on in. */
  @IsOptional()
  @IsBranchName()
  branch?: string;

  /** Ids of members of the company; needs the scope tickets:assign. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MOST_ASSIGNEES)
  @IsId({ each: true })
  assignees?: string[];
}

export class UpdateTicketInput extends TicketIdInput {
  @ValidateIf((input: UpdateTicketInput) => input.title !== undefined)
  @IsLine(LONGEST_TITLE)
  title?: string;

  @ValidateIf((input: UpdateTicketInput) => input.body !== undefined)
  @IsString()
  @MaxLength(LONGEST_BODY)
  body?: string;

  /** All who are assigned afterwards, ids of members of the company; needs the scope tickets:assign. */
  @ValidateIf((input: UpdateTicketInput) => input.assignees !== undefined)
  @IsArray()
  @ArrayMaxSize(MOST_ASSIGNEES)
  @IsId({ each: true })
  assignees?: string[];
}

export class MoveTicketInput extends TicketPlacementInput {
  @IsId()
  id!: string;

  /** Else the one it is in. */
  @IsOptional()
  @IsId()
  project?: string;

  /** Else the one it is in; in another project: its first. */
  @IsOptional()
  @IsId()
  column?: string;
}

export class RecordBranchInput extends TicketIdInput {
  /** Null: none any more. */
  @ValidateIf((input: RecordBranchInput) => input.branch !== null)
  @IsBranchName()
  branch!: string | null;
}

export class AssigneesInput extends TicketIdInput {
  /** Ids of members of the company. */
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(MOST_ASSIGNEES)
  @ArrayUnique()
  @IsId({ each: true })
  assignees!: string[];
}

export class CommentOnTicketInput extends TicketIdInput {
  /** Markdown. */
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_COMMENT)
  body!: string;
}
