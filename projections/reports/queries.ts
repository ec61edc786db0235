import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Kysely, Selectable } from 'kysely';
import {
  type ActivityView,
  type CommentView,
  type FoundComment,
  GetComment,
  GetReport,
  ListActivity,
  ListComments,
  ListReports,
  type ReportView,
} from '../../libs/comma/reports/queries.ts';
import { attribute } from '../../libs/person/attribution.ts';
import { tablesOf } from '../../libs/projection/projection.ts';
import { decodeCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import { reports, type ReportTables } from './reports.projection.ts';

type Rows = { [Table in keyof ReportTables]: Selectable<ReportTables[Table]> };

/** The workspace is in the WHERE of every query: another one's report is not there (P13). */
const inWorkspace = (db: Kysely<ReportTables>, workspace: string) =>
  db.selectFrom('reports').where('workspace', '=', workspace);

const holds = async (db: Kysely<ReportTables>, workspace: string, report: string): Promise<boolean> =>
  (await inWorkspace(db, workspace).select('id').where('id', '=', report).executeTakeFirst()) !== undefined;

const reportView = (row: Rows['reports'], nowMs: number): ReportView => ({
  id: row.id,
  title: row.title,
  body: row.body,
  status: row.status,
  version: row.version,
  by: attribute(row.actor, row.updated_at, nowMs),
  created_at: row.created_at,
  updated_at: row.updated_at,
});

const commentView = (row: Rows['comments'], nowMs: number): CommentView => ({
  id: row.id,
  body: row.body,
  parent: row.parent,
  resolved: row.resolved,
  by: attribute(row.actor, row.created_at, nowMs),
  created_at: row.created_at,
});

@QueryHandler(ListReports)
export class ListReportsHandler implements IQueryHandler<ListReports> {
  readonly #db: Kysely<ReportTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, reports);
  }

  async execute({ request }: ListReports): Promise<Page<ReportView>> {
    const { workspace, status, cursor, limit, nowMs } = request;
    const [before] = decodeCursor('reports', cursor) ?? [];
    let query = inWorkspace(this.#db, workspace).selectAll();
    if (status !== undefined) query = query.where('status', '=', status);
    if (before !== undefined) query = query.where('position', '<', before);
    const rows = await query
      .orderBy('position', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      (row) => reportView(row, nowMs),
      (row) => encodeCursor('reports', row.position),
    );
  }
}

@QueryHandler(GetReport)
export class GetReportHandler implements IQueryHandler<GetReport> {
  readonly #db: Kysely<ReportTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, reports);
  }

  async execute({ request: { workspace, id, nowMs } }: GetReport): Promise<ReportView | null> {
    const row = await inWorkspace(this.#db, workspace).selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? null : reportView(row, nowMs);
  }
}

@QueryHandler(ListComments)
export class ListCommentsHandler implements IQueryHandler<ListComments> {
  readonly #db: Kysely<ReportTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, reports);
  }

  async execute({ request }: ListComments): Promise<Page<CommentView> | null> {
    const { workspace, report, cursor, limit, nowMs } = request;
    const [before] = decodeCursor('comments', cursor) ?? [];
    if (!(await holds(this.#db, workspace, report))) return null;
    let query = this.#db.selectFrom('comments').selectAll().where('report', '=', report);
    if (before !== undefined) query = query.where('position', '<', before);
    const rows = await query
      .orderBy('position', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      (row) => commentView(row, nowMs),
      (row) => encodeCursor('comments', row.position),
    );
  }
}

@QueryHandler(GetComment)
export class GetCommentHandler implements IQueryHandler<GetComment> {
  readonly #db: Kysely<ReportTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, reports);
  }

  async execute({ request: { workspace, id, nowMs } }: GetComment): Promise<FoundComment | null> {
    const row = await this.#db
      .selectFrom('comments')
      .innerJoin('reports', 'reports.id', 'comments.report')
      .selectAll('comments')
      .where('comments.id', '=', id)
      .where('reports.workspace', '=', workspace)
      .executeTakeFirst();
    return row === undefined ? null : { ...commentView(row, nowMs), report: row.report };
  }
}

@QueryHandler(ListActivity)
export class ListActivityHandler implements IQueryHandler<ListActivity> {
  readonly #db: Kysely<ReportTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, reports);
  }

  async execute({ request }: ListActivity): Promise<Page<ActivityView> | null> {
    const { workspace, report, cursor, limit, nowMs } = request;
    const [before] = decodeCursor('activity', cursor) ?? [];
    if (!(await holds(this.#db, workspace, report))) return null;
    let query = this.#db.selectFrom('activity').selectAll().where('report', '=', report);
    if (before !== undefined) query = query.where('version', '<', before);
    const rows = await query
      .orderBy('version', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      ({ type, version, comment, actor, at }) => ({ type, version, comment, by: attribute(actor, at, nowMs) }),
      (row) => encodeCursor('activity', row.version),
    );
  }
}

export const REPORT_QUERIES = [
  ListReportsHandler,
  GetReportHandler,
  ListCommentsHandler,
  GetCommentHandler,
  ListActivityHandler,
];
