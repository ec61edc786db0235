import type { Outcome } from '../../event-log/decide-and-append.ts';
import { DecideCommand, handlerOf } from '../../operation/decide-command.ts';
import { outcomeProblem } from '../../operation/outcome-problem.ts';
import { conflict, invalid, notFound, type Problem } from '../../problem/problem.ts';
import { MOST_COLUMNS, type ProjectCommand, projectDecider, type ProjectRefusal } from './decide.ts';
import { type ProjectEvent, projectStream } from './events.ts';
import type { Project } from './project.ts';

export type ProjectOutcome = Outcome<Project, ProjectEvent, ProjectRefusal>;

/** Any command to one project or its columns. */
export class DecideProject extends DecideCommand<ProjectCommand, Project, ProjectEvent, ProjectRefusal> {}

export const DecideProjectHandler = handlerOf(DecideProject, projectStream, projectDecider);

/** What a caller hears when the command was not done. */
export const projectProblem = (outcome: Exclude<ProjectOutcome, { kind: 'done' }>): Problem =>
  outcomeProblem(outcome, refusalProblem);

function refusalProblem(refusal: ProjectRefusal): Problem {
  switch (refusal.code) {
    case 'not_found':
      return notFound('There is no such project here.');
    case 'exists':
      return conflict('This project exists already.');
    case 'company_not_found':
      return invalid([{ field: 'company', message: 'is none of this workspace' }]);
    case 'archived':
      return conflict('This project is archived. Restore it first.');
    case 'column_not_found':
      return notFound('There is no such column in this project.');
    case 'neighbour_not_found':
      return invalid([{ field: 'position', message: 'before or after names no other column of this project' }]);
    case 'column_in_use':
      return conflict(`This column still holds ${refusal.tickets} live tickets. Move or archive them first.`);
    case 'last_column':
      return conflict('This is the last column of its project, and a ticket needs one.');
    case 'too_many_columns':
      return conflict(`A project has ${MOST_COLUMNS} columns at most.`);
    default:
      return unknownRefusal(refusal);
  }
}

function unknownRefusal(refusal: never): never {
  throw new Error(`unknown refusal ${JSON.stringify(refusal)}`);
}
