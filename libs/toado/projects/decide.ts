import { type Decider, type Refused, refuse } from '../../event-log/decide-and-append.ts';
import type { Company } from '../companies/company.ts';
import { gapAmong, type Placement, positionIn } from '../ordering.ts';
import type { ColumnAdded, ProjectEvent } from './events.ts';
import { evolve, type KnownProject, noProject, type Project } from './project.ts';

/** `workspace` is the caller's: what lies in another is not there (P13). `at` is RFC 3339. */
export type ProjectCommand =
  | CreateProject
  | DescribeProject
  | ArchiveProject
  | RestoreProject
  | AddColumn
  | RenameColumn
  | MoveColumn
  | RemoveColumn;

interface Asked {
  readonly workspace: string;
  readonly at: string;
}

export interface CreateProject extends Asked {
  readonly type: 'CreateProject';
  readonly id: string;
  readonly company: Company;
  readonly name: string;
  readonly description: string;
  /** In their order. */
  readonly columns: readonly { readonly id: string; readonly name: string }[];
}

export interface DescribeProject extends Asked {
  readonly type: 'DescribeProject';
  readonly name?: string;
  readonly description?: string;
}

export interface ArchiveProject extends Asked {
  readonly type: 'ArchiveProject';
}

export interface RestoreProject extends Asked {
  readonly type: 'RestoreProject';
}

export interface AddColumn extends Asked {
  readonly type: 'AddColumn';
  readonly column: string;
  readonly name: string;
  readonly placement: Placement;
}

export interface RenameColumn extends Asked {
  readonly type: 'RenameColumn';
  readonly column: string;
  readonly name: string;
}

export interface MoveColumn extends Asked {
  readonly type: 'MoveColumn';
  readonly column: string;
  readonly placement: Placement;
}

export interface RemoveColumn extends Asked {
  readonly type: 'RemoveColumn';
  readonly column: string;
  /** How many live tickets it holds: of other streams, so counted beforehand. */
  readonly tickets: number;
}

export type ProjectRefusal =
  | { readonly code: 'not_found' }
  | { readonly code: 'exists' }
  | { readonly code: 'company_not_found' }
  | { readonly code: 'archived' }
  | { readonly code: 'column_not_found' }
  | { readonly code: 'neighbour_not_found' }
  | { readonly code: 'column_in_use'; readonly tickets: number }
  | { readonly code: 'last_column' }
  | { readonly code: 'too_many_columns' };

type Decision = readonly ProjectEvent[] | Refused<ProjectRefusal>;

export const MOST_COLUMNS = 100;

export function decide(command: ProjectCommand, project: Project): Decision {
  if (command.type === 'CreateProject') return project.status === 'none' ? create(command) : refuse({ code: 'exists' });
  if (project.status === 'none' || project.workspace !== command.workspace) return refuse({ code: 'not_found' });
  switch (command.type) {
    case 'ArchiveProject':
      return project.status === 'archived' ? [] : [{ type: 'ProjectArchived', data: { at: command.at } }];
    case 'RestoreProject':
      return project.status === 'active' ? [] : [{ type: 'ProjectRestored', data: { at: command.at } }];
    case 'DescribeProject':
    case 'AddColumn':
    case 'RenameColumn':
    case 'MoveColumn':
    case 'RemoveColumn':
      return project.status === 'archived' ? refuse({ code: 'archived' }) : decideActive(command, project);
    default:
      return unknownCommand(command);
  }
}

function create({ id, workspace, company, name, description, columns, at }: CreateProject): Decision {
  if (company.status === 'none' || company.workspace !== workspace) return refuse({ code: 'company_not_found' });
  if (columns.length > MOST_COLUMNS) return refuse({ code: 'too_many_columns' });
  const added: ColumnAdded[] = [];
  for (const column of columns) {
    const position = positionIn({ lower: added.at(-1)?.data.position ?? null, upper: null });
    added.push({ type: 'ColumnAdded', data: { column: column.id, name: column.name, position, at } });
  }
  const data = { id, workspace, company: company.id, name, description, at };
  return [{ type: 'ProjectCreated', data }, ...added];
}

function decideActive(
  command: DescribeProject | AddColumn | RenameColumn | MoveColumn | RemoveColumn,
  project: KnownProject,
): Decision {
  const { at } = command;
  switch (command.type) {
    case 'DescribeProject': {
      const { name = project.name, description = project.description } = command;
      const unchanged = name === project.name && description === project.description;
      return unchanged ? [] : [{ type: 'ProjectDescribed', data: { name, description, at } }];
    }
    case 'AddColumn': {
      const { column, name, placement } = command;
      if (project.columns.size >= MOST_COLUMNS) return refuse({ code: 'too_many_columns' });
      const gap = gapAmong([...project.columns.values()], placement);
      if (gap === null) return refuse({ code: 'neighbour_not_found' });
      return [{ type: 'ColumnAdded', data: { column, name, position: positionIn(gap), at } }];
    }
    case 'RenameColumn': {
      const { column, name } = command;
      const before = project.columns.get(column);
      if (before === undefined) return refuse({ code: 'column_not_found' });
      return before.name === name ? [] : [{ type: 'ColumnRenamed', data: { column, name, at } }];
    }
    case 'MoveColumn':
      return moveColumn(command, project);
    case 'RemoveColumn': {
      const { column, tickets } = command;
      if (!project.columns.has(column)) return refuse({ code: 'column_not_found' });
      if (tickets > 0) return refuse({ code: 'column_in_use', tickets });
      return project.columns.size === 1
        ? refuse({ code: 'last_column' })
        : [{ type: 'ColumnRemoved', data: { column, at } }];
    }
    default:
      return unknownCommand(command);
  }
}

function moveColumn({ column, placement, at }: MoveColumn, project: KnownProject): Decision {
  const before = project.columns.get(column);
  if (before === undefined) return refuse({ code: 'column_not_found' });
  const others = [...project.columns.values()].filter(({ id }) => id !== column);
  const gap = gapAmong(others, placement);
  if (gap === null) return refuse({ code: 'neighbour_not_found' });
  const there =
    (gap.lower === null || gap.lower < before.position) && (gap.upper === null || before.position < gap.upper);
  return there ? [] : [{ type: 'ColumnMoved', data: { column, position: positionIn(gap), at } }];
}

function unknownCommand(command: never): never {
  throw new Error(`unknown project command ${(command as { type: string }).type}`);
}

export const projectDecider: Decider<ProjectCommand, Project, ProjectEvent, ProjectRefusal> = {
  initialState: noProject,
  decide,
  evolve,
};
