import { IsOptional } from 'class-validator';
import { IsId } from '../../operation/fields.ts';
import { IsLabel } from '../../operation/is-label.ts';
import { PageInput } from '../../operation/page-input.ts';

export class AddPersonInput {
  @IsLabel()
  name!: string;
}

export class RenamePersonInput extends AddPersonInput {
  @IsId()
  id!: string;
}

export class MemberInput {
  /** The company. */
  @IsId()
  id!: string;

  @IsId()
  person!: string;
}

export class ListMembersInput extends PageInput {
  @IsOptional()
  @IsId()
  company?: string;
}
