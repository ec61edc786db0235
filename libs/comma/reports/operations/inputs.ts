import { IsIn, IsOptional, IsString, Matches, MaxLength, MinLength, ValidateIf } from 'class-validator';
import { PageInput } from '../../../operation/page-input.ts';
import type { ReportStatus } from '../events.ts';

const ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const NOT_ID = { message: 'must be an id' };
const STATUSES: readonly ReportStatus[] = ['draft', 'published'];
const LONGEST_TITLE = 300;
const LONGEST_BODY = 500_000;
const LONGEST_COMMENT = 50_000;
/** One line of visible text. */
const LINE = /^[^\p{Cc}]+$/u;

export class ReportIdInput {
  @Matches(ID, NOT_ID)
  id!: string;
}

export class CommentIdInput {
  @Matches(ID, NOT_ID)
  id!: string;
}

export class ListReportsInput extends PageInput {
  @IsOptional()
  @IsIn(STATUSES)
  status?: ReportStatus;
}

export class ListOfReportInput extends PageInput {
  @Matches(ID, NOT_ID)
  id!: string;
}

export class CreateReportInput {
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_TITLE)
  @Matches(LINE, { message: 'must be one line of text' })
  title!: string;

  /** Markdown. */
  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_BODY)
  body?: string;

  @IsOptional()
  @IsIn(STATUSES)
  status?: ReportStatus;
}

export class UpdateReportInput extends ReportIdInput {
  @ValidateIf((input: UpdateReportInput) => input.title !== undefined)
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_TITLE)
  @Matches(LINE, { message: 'must be one line of text' })
  title?: string;

  @ValidateIf((input: UpdateReportInput) => input.body !== undefined)
  @IsString()
  @MaxLength(LONGEST_BODY)
  body?: string;

  @ValidateIf((input: UpdateReportInput) => input.status !== undefined)
  @IsIn(STATUSES)
  status?: ReportStatus;
}

/** A comment or a reply, on what `id` names. */
export class WriteCommentInput {
  @Matches(ID, NOT_ID)
  id!: string;

  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_COMMENT)
  body!: string;
}
