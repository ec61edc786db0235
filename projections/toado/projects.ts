import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Actor } from '../../libs/person/actor.ts';
import { actorOf } from '../../libs/projection/actor-of.ts';
import { type Change, put, set } from '../../libs/projection/change.ts';
import type { Table } from '../../libs/projection/projection.ts';
import { PROJECT_PREFIX, type ProjectEvent } from '../../libs/toado/projects/events.ts';
import { PROJECT_WORDS, wordIndex } from './searched.ts';

export interface ProjectTables {
  projects: {
    id: string;
    workspace: string;
    company: string;
    name: string;
    description: string;
    archived: boolean;
    version: number;
    actor: Actor;
    created_at: string;
    updated_at: string;
    /** Place of its first event in the log: the order of the list. */
    log_position: number;
  };
  /** Where a column lies is its project's to say; queries join. */
  columns: {
    id: string;
    project: string;
    name: string;
    position: string;
    removed: boolean;
    version: number;
    actor: Actor;
    created_at: string;
    updated_at: string;
  };
}

export const projectTables: Readonly<Record<keyof ProjectTables, Table>> = {
  projects: {
    columns: {
      id: 'text',
      workspace: 'text',
      company: 'text',
      name: 'text',
      description: 'text',
      archived: 'boolean',
      version: 'integer',
      actor: 'jsonb',
      created_at: 'text',
      updated_at: 'text',
      log_position: 'bigint',
    },
    primaryKey: ['id'],
    indexes: [
      '(workspace, archived, log_position desc)',
      '(company, archived, log_position desc)',
      wordIndex(PROJECT_WORDS),
    ],
  },
  columns: {
    columns: {
      id: 'text',
      project: 'text',
      name: 'text',
      position: 'text',
      removed: 'boolean',
      version: 'integer',
      actor: 'jsonb',
      created_at: 'text',
      updated_at: 'text',
    },
    primaryKey: ['id'],
    indexes: ['(project)'],
  },
};

export function applyProject(event: RecordedEvent & ProjectEvent): readonly Change[] {
  const project = event.stream.slice(PROJECT_PREFIX.length);
  const { at } = event.data;
  const { revision: version, position: log_position } = event;
  const written = { version, actor: actorOf(event), updated_at: at };
  const versionOnly = set('projects', { id: project }, { version });
  switch (event.type) {
    case 'ProjectCreated': {
      const { workspace, company, name, description } = event.data;
      const lies = { workspace, company, created_at: at, log_position };
      return [put('projects', { id: project, name, description, archived: false, ...lies, ...written })];
    }
    case 'ProjectDescribed': {
      const { name, description } = event.data;
      return [set('projects', { id: project }, { name, description, ...written })];
    }
    case 'ProjectArchived':
      return [set('projects', { id: project }, { archived: true, ...written })];
    case 'ProjectRestored':
      return [set('projects', { id: project }, { archived: false, ...written })];
    case 'ColumnAdded': {
      const { column: id, name, position } = event.data;
      return [put('columns', { id, project, name, position, removed: false, created_at: at, ...written }), versionOnly];
    }
    case 'ColumnRenamed':
      return [set('columns', { id: event.data.column }, { name: event.data.name, ...written }), versionOnly];
    case 'ColumnMoved':
      return [set('columns', { id: event.data.column }, { position: event.data.position, ...written }), versionOnly];
    case 'ColumnRemoved':
      return [set('columns', { id: event.data.column }, { removed: true, ...written }), versionOnly];
    default:
      return unknownEvent(event);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown project event ${(event as RecordedEvent).type}`);
}
