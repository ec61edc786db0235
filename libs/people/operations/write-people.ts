import { Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { load } from '../../event-log/decide-and-append.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import { EVENT_LOG } from '../../injection-tokens.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../operation/operation.ts';
import { attribute } from '../../person/attribution.ts';
import { companyDecider } from '../../toado/companies/decide.ts';
import { companyStream } from '../../toado/companies/events.ts';
import type { PersonCommand } from '../decide.ts';
import { founderOf } from '../find-person.ts';
import { DecidePerson, type PersonOutcome, personProblem } from '../person-commands.ts';
import type { PersonView } from '../queries.ts';
import { personViewSchema } from '../schema.ts';
import { AddPersonInput, MemberInput, RenamePersonInput } from './inputs.ts';

@DeclareOperation({
  name: 'add_person',
  title: 'Add a person',
  summary: 'Adds somebody to the workspace, who can then own tokens and become a member of companies.',
  catalogue: 'writ',
  scope: 'writ/people:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/people', status: 201 },
  input: AddPersonInput,
  output: personViewSchema,
  effect: 'adds',
})
export class AddPersonOperation implements Operation<AddPersonInput> {
  constructor(private readonly commands: CommandBus) {}

  run({ name }: AddPersonInput, call: Call): Promise<Result> {
    const id = call.newId();
    return decided(this.commands, id, { type: 'AddPerson', id, name: name.normalize('NFC'), ...askedBy(call) }, call);
  }
}

@DeclareOperation({
  name: 'rename_person',
  title: 'Rename a person',
  summary: 'Changes the name of a person. What they wrote keeps the name they had.',
  catalogue: 'writ',
  scope: 'writ/people:write',
  cost: WRITE,
  http: { method: 'patch', path: '/api/v1/admin/people/:id' },
  input: RenamePersonInput,
  output: personViewSchema,
  effect: 'changes',
  resource: ({ id }) => `person/${id}`,
})
export class RenamePersonOperation implements Operation<RenamePersonInput> {
  constructor(
    private readonly commands: CommandBus,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run({ id, name }: RenamePersonInput, call: Call): Promise<Result> {
    const founder = await founderOf(this.log, call.token.workspace, id);
    const command: PersonCommand = { type: 'RenamePerson', name: name.normalize('NFC'), founder, ...askedBy(call) };
    return decided(this.commands, id, command, call);
  }
}

@DeclareOperation({
  name: 'add_member',
  title: 'Add a member to a company',
  summary: 'Makes a person a member of a company, so that its tickets can be assigned to them.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/companies/:id/members' },
  input: MemberInput,
  output: personViewSchema,
  effect: 'changes',
  resource: ({ person }) => `person/${person}`,
})
export class AddMemberOperation implements Operation<MemberInput> {
  constructor(
    private readonly commands: CommandBus,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run({ id: company, person }: MemberInput, call: Call): Promise<Result> {
    const founder = await founderOf(this.log, call.token.workspace, person);
    const { state } = await load(this.log, companyStream(company), companyDecider);
    const companyWorkspace = state.status === 'none' ? null : state.workspace;
    const command: PersonCommand = { type: 'AddMember', company, companyWorkspace, founder, ...askedBy(call) };
    return decided(this.commands, person, command, call);
  }
}

@DeclareOperation({
  name: 'remove_member',
  title: 'Remove a member from a company',
  summary: 'Ends a person’s membership of a company. What is assigned to them stays so.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'delete', path: '/api/v1/admin/companies/:id/members/:person' },
  input: MemberInput,
  output: personViewSchema,
  effect: 'destroys',
  resource: ({ person }) => `person/${person}`,
})
export class RemoveMemberOperation implements Operation<MemberInput> {
  constructor(
    private readonly commands: CommandBus,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run({ id: company, person }: MemberInput, call: Call): Promise<Result> {
    const founder = await founderOf(this.log, call.token.workspace, person);
    return decided(this.commands, person, { type: 'RemoveMember', company, founder, ...askedBy(call) }, call);
  }
}

const askedBy = ({ token, nowMs }: Call) => ({ workspace: token.workspace, at: new Date(nowMs).toISOString() });

async function decided(commands: CommandBus, id: string, command: PersonCommand, call: Call): Promise<Result> {
  return written(await commands.execute(new DecidePerson(id, command, call.append(`person/${id}`))), call);
}

function written(outcome: PersonOutcome, call: Call): Result {
  if (outcome.kind !== 'done') return personProblem(outcome);
  const { state: person, revision, position, repeated } = outcome;
  if (person.status !== 'known') throw new Error('a written person has no state');
  const view: PersonView = {
    id: person.id,
    name: person.name,
    companies: [...person.companies.keys()].toSorted(),
    version: revision,
    by: attribute(call.actor, person.updatedAt, call.nowMs),
    created_at: person.createdAt,
    updated_at: person.updatedAt,
  };
  return { body: view, revision, position: repeated ? null : position };
}

export const WRITE_PEOPLE = [AddPersonOperation, RenamePersonOperation, AddMemberOperation, RemoveMemberOperation];
