import { QueryBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../../operation/operation.ts';
import { PageInput, pageOfInput } from '../../../operation/page-input.ts';
import { pageSchema } from '../../../operation/schema.ts';
import { notFound } from '../../../problem/problem.ts';
import { reachOf } from '../../reach.ts';
import { GetCompany, ListCompanies } from '../queries.ts';
import { companySchema } from '../schema.ts';
import { CompanyIdInput } from './inputs.ts';

@DeclareOperation({
  name: 'list_companies',
  title: 'List companies',
  summary: 'The companies this token can see, newest first.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/companies' },
  input: PageInput,
  output: pageSchema(companySchema),
  effect: 'reads',
  readsFrom: 'toado',
})
export class ListCompaniesOperation implements Operation<PageInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: PageInput, { token, nowMs }: Call): Promise<Result> {
    return {
      body: await this.queries.execute(new ListCompanies({ reach: reachOf(token), nowMs, ...pageOfInput(input) })),
    };
  }
}

@DeclareOperation({
  name: 'get_company',
  title: 'Read a company',
  summary: 'One company, with the limits of its tokens.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/companies/:id' },
  input: CompanyIdInput,
  output: companySchema,
  effect: 'reads',
  readsFrom: 'toado',
  resource: ({ id }) => `company/${id}`,
})
export class GetCompanyOperation implements Operation<CompanyIdInput> {
  constructor(private readonly queries: QueryBus) {}

  async run({ id }: CompanyIdInput, { token, nowMs }: Call): Promise<Result> {
    const company = await this.queries.execute(new GetCompany({ reach: reachOf(token), id, nowMs }));
    if (company === null) return notFound('There is no such company here.');
    return { body: company, revision: company.version };
  }
}
