import type { ProjectEvent } from './events.ts';

/** A project as its stream tells it. */
export type Project = { readonly status: 'none' } | KnownProject;

export interface KnownProject {
  readonly status: 'active' | 'archived';
  readonly id: string;
  readonly workspace: string;
  readonly company: string;
  readonly name: string;
  readonly description: string;
  readonly columns: ReadonlyMap<string, Column>;
  readonly createdAt: string;
  /** Of the project itself, its columns apart. */
  readonly updatedAt: string;
}

export interface Column {
  readonly id: string;
  readonly name: string;
  readonly position: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export const noProject: Project = { status: 'none' };

export function evolve(project: Project, event: ProjectEvent): Project {
  if (event.type === 'ProjectCreated') {
    const { id, workspace, company, name, description, at } = event.data;
    const times = { createdAt: at, updatedAt: at };
    return { status: 'active', id, workspace, company, name, description, columns: new Map(), ...times };
  }
  if (project.status === 'none') throw new Error(`${event.type} before ProjectCreated`);
  switch (event.type) {
    case 'ProjectDescribed': {
      const { name, description, at } = event.data;
      return { ...project, name, description, updatedAt: at };
    }
    case 'ProjectArchived':
      return { ...project, status: 'archived', updatedAt: event.data.at };
    case 'ProjectRestored':
      return { ...project, status: 'active', updatedAt: event.data.at };
    case 'ColumnAdded': {
      const { column: id, name, position, at } = event.data;
      const column = { id, name, position, createdAt: at, updatedAt: at };
      return { ...project, columns: new Map(project.columns).set(id, column) };
    }
    case 'ColumnRenamed':
    case 'ColumnMoved': {
      const { column: id, at, ...changed } = event.data;
      const column = project.columns.get(id);
      if (column === undefined) throw new Error(`${event.type} of a column that is not there`);
      return { ...project, columns: new Map(project.columns).set(id, { ...column, ...changed, updatedAt: at }) };
    }
    case 'ColumnRemoved': {
      const columns = new Map(project.columns);
      columns.delete(event.data.column);
      return { ...project, columns };
    }
    default:
      return unknownEvent(event);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown project event ${(event as { type: string }).type}`);
}
