import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Kysely, type Selectable, sql } from 'kysely';
import { attribute } from '../../libs/person/attribution.ts';
import { tablesOf } from '../../libs/projection/projection.ts';
import { decodeCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import {
  type ColumnView,
  GetColumn,
  GetProject,
  ListColumns,
  ListProjects,
  type ProjectView,
} from '../../libs/toado/projects/queries.ts';
import type { Reach } from '../../libs/toado/reach.ts';
import type { ProjectTables } from './projects.ts';
import { toado } from './toado.projection.ts';
import { within } from './within.ts';

const LIES = { workspace: 'projects.workspace', company: 'projects.company', project: 'projects.id' };

const projectView = (row: Selectable<ProjectTables['projects']>, nowMs: number): ProjectView => ({
  id: row.id,
  company: row.company,
  name: row.name,
  description: row.description,
  archived: row.archived,
  version: row.version,
  by: attribute(row.actor, row.updated_at, nowMs),
  created_at: row.created_at,
  updated_at: row.updated_at,
});

const projectsWithin = (db: Kysely<ProjectTables>, reach: Reach) =>
  db.selectFrom('projects').where(within(reach, LIES));

const columnsWithin = (db: Kysely<ProjectTables>, reach: Reach) =>
  projectsWithin(db, reach)
    .innerJoin('columns', 'columns.project', 'projects.id')
    .where('columns.removed', '=', false)
    .selectAll('columns')
    .select('projects.company');

const columnView = (
  row: Selectable<ProjectTables['columns']> & { readonly company: string },
  nowMs: number,
): ColumnView => ({
  id: row.id,
  project: row.project,
  company: row.company,
  name: row.name,
  position: row.position,
  version: row.version,
  by: attribute(row.actor, row.updated_at, nowMs),
  created_at: row.created_at,
  updated_at: row.updated_at,
});

@QueryHandler(ListProjects)
export class ListProjectsHandler implements IQueryHandler<ListProjects> {
  readonly #db: Kysely<ProjectTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request }: ListProjects): Promise<Page<ProjectView>> {
    const { reach, company, archived, cursor, limit, nowMs } = request;
    const [before] = decodeCursor('projects', cursor) ?? [];
    let query = projectsWithin(this.#db, reach).selectAll().where('archived', '=', archived);
    if (company !== undefined) query = query.where('company', '=', company);
    if (before !== undefined) query = query.where('log_position', '<', before);
    const rows = await query
      .orderBy('log_position', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      (row) => projectView(row, nowMs),
      (row) => encodeCursor('projects', row.log_position),
    );
  }
}

@QueryHandler(GetProject)
export class GetProjectHandler implements IQueryHandler<GetProject> {
  readonly #db: Kysely<ProjectTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request: { reach, id, nowMs } }: GetProject): Promise<ProjectView | null> {
    const row = await projectsWithin(this.#db, reach).selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? null : projectView(row, nowMs);
  }
}

@QueryHandler(ListColumns)
export class ListColumnsHandler implements IQueryHandler<ListColumns> {
  readonly #db: Kysely<ProjectTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request: { reach, project, nowMs } }: ListColumns): Promise<readonly ColumnView[] | null> {
    const rows = await columnsWithin(this.#db, reach)
      .where('projects.id', '=', project)
      // Positions are compared byte by byte, whatever the database's own collation.
      .orderBy(sql`columns.position collate "C"`)
      .orderBy('columns.id')
      .execute();
    // A project always has a column, but for the moment between its first two events.
    if (rows.length > 0) return rows.map((row) => columnView(row, nowMs));
    const found = await projectsWithin(this.#db, reach).select('id').where('id', '=', project).executeTakeFirst();
    return found === undefined ? null : [];
  }
}

@QueryHandler(GetColumn)
export class GetColumnHandler implements IQueryHandler<GetColumn> {
  readonly #db: Kysely<ProjectTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request: { reach, id, nowMs } }: GetColumn): Promise<ColumnView | null> {
    const row = await columnsWithin(this.#db, reach).where('columns.id', '=', id).executeTakeFirst();
    return row === undefined ? null : columnView(row, nowMs);
  }
}

export const PROJECT_QUERIES = [ListProjectsHandler, GetProjectHandler, ListColumnsHandler, GetColumnHandler];
