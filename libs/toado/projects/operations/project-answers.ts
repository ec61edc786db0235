import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Call, Result } from '../../../operation/operation.ts';
import { attribute } from '../../../person/attribution.ts';
import type { ProjectCommand } from '../decide.ts';
import { DecideProject, type ProjectOutcome, projectProblem } from '../project-commands.ts';
import type { KnownProject } from '../project.ts';
import type { ColumnView, ProjectView } from '../queries.ts';

/** Does a command to a project, and answers with what it is about: the project, or one of its columns. */
@Injectable()
export class ProjectAnswers {
  constructor(private readonly commands: CommandBus) {}

  project(id: string, command: ProjectCommand, call: Call): Promise<Result> {
    return this.#decide(id, command, call, `project/${id}`, (project, version) => projectView(project, version, call));
  }

  column(id: string, column: string, command: ProjectCommand, call: Call): Promise<Result> {
    const view = (project: KnownProject, version: number): ColumnView => columnView(project, column, version, call);
    return this.#decide(id, command, call, `column/${column}`, view);
  }

  /** A command whose column is gone afterwards. */
  removedColumn(id: string, column: string, command: ProjectCommand, call: Call): Promise<Result> {
    return this.#decide(id, command, call, `column/${column}`, () => ({ id: column, project: id, removed: true }));
  }

  async #decide(
    id: string,
    command: ProjectCommand,
    call: Call,
    resource: string,
    view: (project: KnownProject, version: number) => object,
  ): Promise<Result> {
    const outcome: ProjectOutcome = await this.commands.execute(new DecideProject(id, command, call.append(resource)));
    if (outcome.kind !== 'done') return projectProblem(outcome);
    const { state, revision, position, repeated } = outcome;
    if (state.status === 'none') throw new Error('a written project has no state');
    return { body: view(state, revision), revision, position: repeated ? null : position };
  }
}

export const askedBy = ({ token, nowMs }: Call) => ({
  workspace: token.workspace,
  at: new Date(nowMs).toISOString(),
});

const projectView = (project: KnownProject, version: number, call: Call): ProjectView => ({
  id: project.id,
  company: project.company,
  name: project.name,
  description: project.description,
  archived: project.status === 'archived',
  version,
  by: attribute(call.actor, project.updatedAt, call.nowMs),
  created_at: project.createdAt,
  updated_at: project.updatedAt,
});

function columnView(project: KnownProject, id: string, version: number, call: Call): ColumnView {
  const column = project.columns.get(id);
  if (column === undefined) throw new Error('a written column has no state');
  return {
    id,
    project: project.id,
    company: project.company,
    name: column.name,
    position: column.position,
    version,
    by: attribute(call.actor, column.updatedAt, call.nowMs),
    created_at: column.createdAt,
    updated_at: column.updatedAt,
  };
}
