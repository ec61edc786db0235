import { QueryBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../../operation/operation.ts';
import { pageOfInput } from '../../../operation/page-input.ts';
import { pageSchema, whole } from '../../../operation/schema.ts';
import { notFound } from '../../../problem/problem.ts';
import { GetCompany } from '../../companies/queries.ts';
import { reachOf } from '../../reach.ts';
import { GetColumn, GetProject, ListColumns, ListProjects } from '../queries.ts';
import { columnSchema, projectSchema } from '../schema.ts';
import { ColumnIdInput, ListProjectsInput, ListProjectsOfCompanyInput, ProjectIdInput } from './inputs.ts';

const NO_PROJECT = 'There is no such project here.';

@DeclareOperation({
  name: 'list_projects',
  title: 'List projects',
  summary: 'The projects this token can see, newest first: live ones, or the archived ones.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/projects' },
  input: ListProjectsInput,
  output: pageSchema(projectSchema),
  effect: 'reads',
  readsFrom: 'toado',
})
export class ListProjectsOperation implements Operation<ListProjectsInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: ListProjectsInput, { token, nowMs }: Call): Promise<Result> {
    const { company, archived = false } = input;
    const request = { reach: reachOf(token), company, archived, nowMs, ...pageOfInput(input) };
    return { body: await this.queries.execute(new ListProjects(request)) };
  }
}

@DeclareOperation({
  name: 'list_company_projects',
  title: 'List a company’s projects',
  summary: 'The live projects of one company, newest first.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/companies/:id/projects' },
  input: ListProjectsOfCompanyInput,
  output: pageSchema(projectSchema),
  effect: 'reads',
  readsFrom: 'toado',
  resource: ({ id }) => `company/${id}`,
})
export class ListCompanyProjectsOperation implements Operation<ListProjectsOfCompanyInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: ListProjectsOfCompanyInput, { token, nowMs }: Call): Promise<Result> {
    const reach = reachOf(token);
    const company = await this.queries.execute(new GetCompany({ reach, id: input.id, nowMs }));
    if (company === null) return notFound('There is no such company here.');
    const request = { reach, company: input.id, archived: false, nowMs, ...pageOfInput(input) };
    return { body: await this.queries.execute(new ListProjects(request)) };
  }
}

@DeclareOperation({
  name: 'get_project',
  title: 'Read a project',
  summary: 'One project, with who wrote it last.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/projects/:id' },
  input: ProjectIdInput,
  output: projectSchema,
  effect: 'reads',
  readsFrom: 'toado',
  resource: ({ id }) => `project/${id}`,
})
export class GetProjectOperation implements Operation<ProjectIdInput> {
  constructor(private readonly queries: QueryBus) {}

  async run({ id }: ProjectIdInput, { token, nowMs }: Call): Promise<Result> {
    const project = await this.queries.execute(new GetProject({ reach: reachOf(token), id, nowMs }));
    return project === null ? notFound(NO_PROJECT) : { body: project, revision: project.version };
  }
}

@DeclareOperation({
  name: 'list_columns',
  title: 'List columns',
  summary: 'The columns of a project, all of them, in their order.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/projects/:id/columns' },
  input: ProjectIdInput,
  output: whole({ items: { type: 'array', items: columnSchema }, next: { type: 'null' } }),
  effect: 'reads',
  readsFrom: 'toado',
  resource: ({ id }) => `project/${id}`,
})
export class ListColumnsOperation implements Operation<ProjectIdInput> {
  constructor(private readonly queries: QueryBus) {}

  async run({ id }: ProjectIdInput, { token, nowMs }: Call): Promise<Result> {
    const items = await this.queries.execute(new ListColumns({ reach: reachOf(token), project: id, nowMs }));
    return items === null ? notFound(NO_PROJECT) : { body: { items, next: null } };
  }
}

@DeclareOperation({
  name: 'get_column',
  title: 'Read a column',
  summary: 'One column, with the project it belongs to.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/columns/:id' },
  input: ColumnIdInput,
  output: columnSchema,
  effect: 'reads',
  readsFrom: 'toado',
  resource: ({ id }) => `column/${id}`,
})
export class GetColumnOperation implements Operation<ColumnIdInput> {
  constructor(private readonly queries: QueryBus) {}

  async run({ id }: ColumnIdInput, { token, nowMs }: Call): Promise<Result> {
    const column = await this.queries.execute(new GetColumn({ reach: reachOf(token), id, nowMs }));
    return column === null ? notFound('There is no such column here.') : { body: column };
  }
}
