import { Inject } from '@nestjs/common';
import { load } from '../../../event-log/decide-and-append.ts';
import type { EventLog } from '../../../event-log/event-log.ts';
import { EVENT_LOG } from '../../../injection-tokens.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { companyDecider } from '../../companies/decide.ts';
import { companyStream } from '../../companies/events.ts';
import { projectSchema } from '../schema.ts';
import { CreateProjectInput, ProjectIdInput, UpdateProjectInput } from './inputs.ts';
import { askedBy, ProjectAnswers } from './project-answers.ts';

const COLUMNS = ['To do', 'Doing', 'Done'];

@DeclareOperation({
  name: 'create_project',
  title: 'Create a project',
  summary: 'Creates a project in a company, with its columns.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/projects', status: 201 },
  input: CreateProjectInput,
  output: projectSchema,
  effect: 'adds',
})
export class CreateProjectOperation implements Operation<CreateProjectInput> {
  constructor(
    private readonly projects: ProjectAnswers,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run({ company, name, description = '', columns = COLUMNS }: CreateProjectInput, call: Call): Promise<Result> {
    const { state } = await load(this.log, companyStream(company), companyDecider);
    const id = call.newId();
    const withIds = columns.map((each, index) => ({ id: call.newId(index + 1), name: each }));
    const facts = { id, company: state, name, description, columns: withIds };
    return this.projects.project(id, { type: 'CreateProject', ...facts, ...askedBy(call) }, call);
  }
}

@DeclareOperation({
  name: 'update_project',
  title: 'Update a project',
  summary: 'Changes name or description. With If-Match only if nobody else has changed it meanwhile.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'patch', path: '/api/v1/admin/projects/:id' },
  input: UpdateProjectInput,
  output: projectSchema,
  effect: 'changes',
  resource: ({ id }) => `project/${id}`,
})
export class UpdateProjectOperation implements Operation<UpdateProjectInput> {
  constructor(private readonly projects: ProjectAnswers) {}

  run({ id, ...changes }: UpdateProjectInput, call: Call): Promise<Result> {
    return this.projects.project(id, { type: 'DescribeProject', ...changes, ...askedBy(call) }, call);
  }
}

@DeclareOperation({
  name: 'archive_project',
  title: 'Archive a project',
  summary: 'Files a project away: it takes no new tickets until it is restored; those it has stay readable.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/projects/:id/archive' },
  input: ProjectIdInput,
  output: projectSchema,
  effect: 'changes',
  resource: ({ id }) => `project/${id}`,
})
export class ArchiveProjectOperation implements Operation<ProjectIdInput> {
  constructor(private readonly projects: ProjectAnswers) {}

  run({ id }: ProjectIdInput, call: Call): Promise<Result> {
    return this.projects.project(id, { type: 'ArchiveProject', ...askedBy(call) }, call);
  }
}

@DeclareOperation({
  name: 'restore_project',
  title: 'Restore a project',
  summary: 'Brings an archived project back.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/projects/:id/restore' },
  input: ProjectIdInput,
  output: projectSchema,
  effect: 'changes',
  resource: ({ id }) => `project/${id}`,
})
export class RestoreProjectOperation implements Operation<ProjectIdInput> {
  constructor(private readonly projects: ProjectAnswers) {}

  run({ id }: ProjectIdInput, call: Call): Promise<Result> {
    return this.projects.project(id, { type: 'RestoreProject', ...askedBy(call) }, call);
  }
}
