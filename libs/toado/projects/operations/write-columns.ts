import { QueryBus } from '@nestjs/cqrs';
import { AtHead } from '../../../operation/at-head.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { placementOf } from '../../placement-input.ts';
import { reachOf } from '../../reach.ts';
import { CountTickets } from '../../tickets/queries.ts';
import { columnSchema, removedColumnSchema } from '../schema.ts';
import { ColumnOfProjectInput, CreateColumnInput, MoveColumnInput, UpdateColumnInput } from './inputs.ts';
import { askedBy, ProjectAnswers } from './project-answers.ts';

@DeclareOperation({
  name: 'create_column',
  title: 'Add a column',
  summary: 'Adds a column to a project: last, or where it is put.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/projects/:project/columns', status: 201 },
  input: CreateColumnInput,
  output: columnSchema,
  effect: 'adds',
  resource: ({ project }) => `project/${project}`,
})
export class CreateColumnOperation implements Operation<CreateColumnInput> {
  constructor(private readonly projects: ProjectAnswers) {}

  async run({ project, name, ...given }: CreateColumnInput, call: Call): Promise<Result> {
    const placed = placementOf(given);
    if ('problem' in placed) return placed.problem;
    const column = call.newId();
    const command = { type: 'AddColumn', column, name, ...placed, ...askedBy(call) } as const;
    return this.projects.column(project, column, command, call);
  }
}

@DeclareOperation({
  name: 'update_column',
  title: 'Rename a column',
  summary: 'Changes the name of a column.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'patch', path: '/api/v1/admin/projects/:project/columns/:id' },
  input: UpdateColumnInput,
  output: columnSchema,
  effect: 'changes',
  resource: ({ id }) => `column/${id}`,
})
export class UpdateColumnOperation implements Operation<UpdateColumnInput> {
  constructor(private readonly projects: ProjectAnswers) {}

  run({ project, id, name }: UpdateColumnInput, call: Call): Promise<Result> {
    return this.projects.column(project, id, { type: 'RenameColumn', column: id, name, ...askedBy(call) }, call);
  }
}

@DeclareOperation({
  name: 'move_column',
  title: 'Move a column',
  summary: 'Puts a column first, last, or beside another one of its project.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/projects/:project/columns/:id/move' },
  input: MoveColumnInput,
  output: columnSchema,
  effect: 'changes',
  resource: ({ id }) => `column/${id}`,
})
export class MoveColumnOperation implements Operation<MoveColumnInput> {
  constructor(private readonly projects: ProjectAnswers) {}

  async run({ project, id, ...given }: MoveColumnInput, call: Call): Promise<Result> {
    const placed = placementOf(given);
    if ('problem' in placed) return placed.problem;
    const command = { type: 'MoveColumn', column: id, ...placed, ...askedBy(call) } as const;
    return this.projects.column(project, id, command, call);
  }
}

@DeclareOperation({
  name: 'remove_column',
  title: 'Remove a column',
  summary: 'Removes a column that holds no live ticket and is not the last of its project.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'delete', path: '/api/v1/admin/projects/:project/columns/:id' },
  input: ColumnOfProjectInput,
  output: removedColumnSchema,
  effect: 'destroys',
  resource: ({ id }) => `column/${id}`,
})
export class RemoveColumnOperation implements Operation<ColumnOfProjectInput> {
  constructor(
    private readonly projects: ProjectAnswers,
    private readonly queries: QueryBus,
    private readonly atHead: AtHead,
  ) {}

  async run({ project, id }: ColumnOfProjectInput, call: Call): Promise<Result> {
    await this.atHead.of('toado');
    const tickets = await this.queries.execute(new CountTickets({ reach: reachOf(call.token), column: id }));
    const command = { type: 'RemoveColumn', column: id, tickets, ...askedBy(call) } as const;
    return this.projects.removedColumn(project, id, command, call);
  }
}
