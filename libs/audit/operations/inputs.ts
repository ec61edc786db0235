import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsOptional, IsString, Matches, MaxLength, MinLength } from 'class-validator';
import { IsInstant } from '../../operation/is-instant.ts';
import { PageInput } from '../../operation/page-input.ts';
import { type AuditEntry, type AuditFilter, type AuditGroup, GROUPS } from '../queries.ts';

const Text =
  (mostCharacters: number): PropertyDecorator =>
  (target, property) => {
    IsOptional()(target, property as string);
    IsString()(target, property as string);
    MinLength(1)(target, property as string);
    MaxLength(mostCharacters)(target, property as string);
  };

/** What the trail is searched by, all of it together. */
export class AuditFilterInput extends PageInput {
  /** Id of the token that called, or was changed. */
  @Text(26)
  token?: string;

  /** Id of the person whose token called. */
  @Text(64)
  owner?: string;

  /** The token's name then. */
  @Text(80)
  label?: string;

  @Text(64)
  company?: string;

  @Text(64)
  operation?: string;

  @IsOptional()
  @IsIn(['rest', 'mcp', 'routine', 'cli'])
  face?: string;

  @IsOptional()
  @IsIn(['allowed', 'refused'])
  decision?: string;

  /** `report/01J…` */
  @Text(100)
  resource?: string;

  /** As recorded: of single calls the address, of many refused ones its network. */
  @Text(64)
  client_address?: string;

  @IsOptional()
  @IsIn(['use', 'change', 'denials'])
  kind?: AuditEntry['kind'];

  /** Included. */
  @IsOptional()
  @IsInstant()
  from?: string;

  /** Not included. */
  @IsOptional()
  @IsInstant()
  to?: string;

  /** Found anywhere in an entry's texts. */
  @Text(100)
  q?: string;

  /** Only what belongs to no workspace: calls without a valid token, counted by network. Needs `operate` too. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  unattributed?: boolean;
}

export class CountAuditInput extends AuditFilterInput {
  @IsIn(GROUPS)
  by!: AuditGroup;
}

export class WhoDidThisInput {
  @Matches(/^[a-z]{1,20}$/, { message: 'must be a kind of thing: report, comment, ticket, run, token' })
  kind!: string;

  @Matches(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, { message: 'must be an id' })
  id!: string;
}

/** Times are stored in UTC with milliseconds, and compared as texts. */
const utc = (time: string | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString();

export const filterOf = (input: AuditFilterInput, workspace: string): AuditFilter => {
  const { token, owner, label, company, operation, face, decision, resource, client_address, kind } = input;
  const { from, to, q: text, unattributed } = input;
  const same = { token, owner, label, company, operation, face, decision, resource, client_address, kind };
  return { ...same, workspace: unattributed === true ? null : workspace, from: utc(from), to: utc(to), text };
};
