import { Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Catalogues } from '../../../catalogue/catalogue.ts';
import { CATALOGUES } from '../../../injection-tokens.ts';
import { budgetsOf } from '../../../operation/limit-input.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { attribute } from '../../../person/attribution.ts';
import { type CompanyOutcome, companyProblem, DecideCompany } from '../company-commands.ts';
import type { CompanyCommand } from '../decide.ts';
import type { CompanyView } from '../queries.ts';
import { companySchema } from '../schema.ts';
import { ChangeCompanyLimitsInput, CreateCompanyInput, UpdateCompanyInput } from './inputs.ts';

@DeclareOperation({
  name: 'create_company',
  title: 'Create a company',
  summary: 'Creates a company, which projects and tokens can then belong to.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/companies', status: 201 },
  input: CreateCompanyInput,
  output: companySchema,
  effect: 'adds',
})
export class CreateCompanyOperation implements Operation<CreateCompanyInput> {
  constructor(private readonly commands: CommandBus) {}

  run({ name }: CreateCompanyInput, call: Call): Promise<Result> {
    const id = call.newId();
    return decided(this.commands, id, { type: 'CreateCompany', id, name, ...askedBy(call) }, call);
  }
}

@DeclareOperation({
  name: 'update_company',
  title: 'Rename a company',
  summary: 'Changes the name of a company. With If-Match only if nobody else has changed it meanwhile.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'patch', path: '/api/v1/admin/companies/:id' },
  input: UpdateCompanyInput,
  output: companySchema,
  effect: 'changes',
  resource: ({ id }) => `company/${id}`,
})
export class UpdateCompanyOperation implements Operation<UpdateCompanyInput> {
  constructor(private readonly commands: CommandBus) {}

  run({ id, name }: UpdateCompanyInput, call: Call): Promise<Result> {
    return decided(this.commands, id, { type: 'RenameCompany', name, ...askedBy(call) }, call);
  }
}

@DeclareOperation({
  name: 'change_company_limits',
  title: 'Change a company’s limits',
  summary: 'Sets the calls a minute of the company’s tokens that have no limit of their own; null: the catalogue’s.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'patch', path: '/api/v1/admin/companies/:id/limits' },
  input: ChangeCompanyLimitsInput,
  output: companySchema,
  effect: 'changes',
  resource: ({ id }) => `company/${id}`,
})
export class ChangeCompanyLimitsOperation implements Operation<ChangeCompanyLimitsInput> {
  constructor(
    private readonly commands: CommandBus,
    @Inject(CATALOGUES) private readonly catalogues: Catalogues,
  ) {}

  run({ id, ...limits }: ChangeCompanyLimitsInput, call: Call): Promise<Result> {
    const toado = this.catalogues.named('toado');
    if (toado === null) throw new Error('there is no toado catalogue');
    const command: CompanyCommand = {
      type: 'ChangeCompanyLimits',
      limits: budgetsOf(limits),
      ceiling: call.token.limits,
      defaults: toado.limits,
      ...askedBy(call),
    };
    return decided(this.commands, id, command, call);
  }
}

const askedBy = ({ token, nowMs }: Call) => ({ workspace: token.workspace, at: new Date(nowMs).toISOString() });

async function decided(commands: CommandBus, id: string, command: CompanyCommand, call: Call): Promise<Result> {
  return written(await commands.execute(new DecideCompany(id, command, call.append(`company/${id}`))), call);
}

function written(outcome: CompanyOutcome, call: Call): Result {
  if (outcome.kind !== 'done') return companyProblem(outcome);
  const { state: company, revision, position, repeated } = outcome;
  if (company.status === 'none') throw new Error('a written company has no state');
  const { reads, writes } = company.limits;
  const view: CompanyView = {
    id: company.id,
    name: company.name,
    limits: { reads: { per_minute: reads }, writes: { per_minute: writes } },
    version: revision,
    by: attribute(call.actor, company.updatedAt, call.nowMs),
    created_at: company.createdAt,
    updated_at: company.updatedAt,
  };
  return { body: view, revision, position: repeated ? null : position };
}
