import { Inject } from '@nestjs/common';
import { MAINTAINED_VIEWS } from '../../injection-tokens.ts';
import { DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { pageSchema } from '../../operation/schema.ts';
import { notFound } from '../../problem/problem.ts';
import type { MaintainedView } from '../maintained-view.ts';
import { ProjectionInput } from './inputs.ts';
import { viewStatusSchema } from './schema.ts';

class NoInput {}

@DeclareOperation({
  name: 'list_projections',
  title: 'List projections',
  summary: 'Every view made from the log: how far it is, what it could not apply, whether it is being rebuilt.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: READ,
  http: { method: 'get', path: '/api/v1/admin/projections' },
  input: NoInput,
  output: pageSchema(viewStatusSchema),
  effect: 'reads',
})
export class ListProjectionsOperation implements Operation<NoInput> {
  constructor(@Inject(MAINTAINED_VIEWS) private readonly views: readonly MaintainedView[]) {}

  async run(): Promise<Result> {
    return { body: { items: await Promise.all(this.views.map((view) => view.status())), next: null } };
  }
}

@DeclareOperation({
  name: 'get_projection',
  title: 'Show a projection',
  summary: 'One view made from the log, with the progress of its rebuild and the outcome of its last comparison.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: READ,
  http: { method: 'get', path: '/api/v1/admin/projections/:name' },
  input: ProjectionInput,
  output: viewStatusSchema,
  effect: 'reads',
  resource: ({ name }) => `projection/${name}`,
})
export class GetProjectionOperation implements Operation<ProjectionInput> {
  constructor(@Inject(MAINTAINED_VIEWS) private readonly views: readonly MaintainedView[]) {}

  async run({ name }: ProjectionInput): Promise<Result> {
    const view = this.views.find((each) => each.name === name);
    return view === undefined ? notFound('There is no such projection.') : { body: await view.status() };
  }
}

export const READ_PROJECTIONS = [ListProjectionsOperation, GetProjectionOperation];
