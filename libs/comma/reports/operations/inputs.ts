import { IsIn, IsOptional, IsString, MaxLength, MinLength, ValidateIf } from 'class-validator';
import { IsId, IsLine } from '../../../operation/fields.ts';
import { PageInput } from '../../../operation/page-input.ts';
import type { ReportStatus } from '../events.ts';

const STATUSES: readonly ReportStatus[] = ['draft', 'published'];
const LONGEST_TITLE = 300;
const LONGEST_BODY = 500_000;
const LONGEST_COMMENT = 50_000;

export class ReportIdInput {
  @IsId()
  id!: string;
}

export class CommentIdInput {
  @IsId()
  id!: string;
}

export class ListReportsInput extends PageInput {
  @IsOptional()
  @IsIn(STATUSES)
  status?: ReportStatus;
}

export class ListOfReportInput extends PageInput {
  @IsId()
  id!: string;
}

export class CreateReportInput {
  @IsLine(LONGEST_TITLE)
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
  @IsLine(LONGEST_TITLE)
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
  @IsId()
  id!: string;

  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_COMMENT)
  body!: string;
}
