import { QueryBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { PageInput, pageOfInput } from '../../operation/page-input.ts';
import { pageSchema } from '../../operation/schema.ts';
import { reachOf } from '../../toado/reach.ts';
import { ListMembers, ListPeople } from '../queries.ts';
import { memberSchema, personViewSchema } from '../schema.ts';
import { ListMembersInput } from './inputs.ts';

@DeclareOperation({
  name: 'list_people',
  title: 'List people',
  summary: 'The people of the workspace, newest first, with the companies they are members of.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: READ,
  http: { method: 'get', path: '/api/v1/admin/people' },
  input: PageInput,
  output: pageSchema(personViewSchema),
  effect: 'reads',
  readsFrom: 'people',
})
export class ListPeopleOperation implements Operation<PageInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: PageInput, { token, nowMs }: Call): Promise<Result> {
    const request = { workspace: token.workspace, nowMs, ...pageOfInput(input) };
    return { body: await this.queries.execute(new ListPeople(request)) };
  }
}

@DeclareOperation({
  name: 'list_members',
  title: 'List members',
  summary: 'The members of a company, or of every company this token can see: those tickets can be assigned to.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/members' },
  input: ListMembersInput,
  output: pageSchema(memberSchema),
  effect: 'reads',
  readsFrom: 'people',
})
export class ListMembersOperation implements Operation<ListMembersInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: ListMembersInput, { token, nowMs }: Call): Promise<Result> {
    const request = { reach: reachOf(token), company: input.company, nowMs, ...pageOfInput(input) };
    return { body: await this.queries.execute(new ListMembers(request)) };
  }
}

export const READ_PEOPLE = [ListPeopleOperation, ListMembersOperation];
