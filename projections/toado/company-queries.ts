import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Kysely, Selectable } from 'kysely';
import { attribute } from '../../libs/person/attribution.ts';
import { tablesOf } from '../../libs/projection/projection.ts';
import { decodeCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import { type CompanyView, GetCompany, ListCompanies } from '../../libs/toado/companies/queries.ts';
import type { CompanyTables } from './companies.ts';
import { toado } from './toado.projection.ts';
import { within } from './within.ts';

const LIES = { workspace: 'workspace', company: 'id', project: null };

const companyView = (row: Selectable<CompanyTables['companies']>, nowMs: number): CompanyView => ({
  id: row.id,
  name: row.name,
  limits: { reads: { per_minute: row.reads }, writes: { per_minute: row.writes } },
  version: row.version,
  by: attribute(row.actor, row.updated_at, nowMs),
  created_at: row.created_at,
  updated_at: row.updated_at,
});

@QueryHandler(ListCompanies)
export class ListCompaniesHandler implements IQueryHandler<ListCompanies> {
  readonly #db: Kysely<CompanyTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request: { reach, cursor, limit, nowMs } }: ListCompanies): Promise<Page<CompanyView>> {
    const [before] = decodeCursor('companies', cursor) ?? [];
    let query = this.#db.selectFrom('companies').selectAll().where(within(reach, LIES));
    if (before !== undefined) query = query.where('log_position', '<', before);
    const rows = await query
      .orderBy('log_position', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      (row) => companyView(row, nowMs),
      (row) => encodeCursor('companies', row.log_position),
    );
  }
}

@QueryHandler(GetCompany)
export class GetCompanyHandler implements IQueryHandler<GetCompany> {
  readonly #db: Kysely<CompanyTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, toado);
  }

  async execute({ request: { reach, id, nowMs } }: GetCompany): Promise<CompanyView | null> {
    const query = this.#db.selectFrom('companies').selectAll().where('id', '=', id).where(within(reach, LIES));
    const row = await query.executeTakeFirst();
    return row === undefined ? null : companyView(row, nowMs);
  }
}

export const COMPANY_QUERIES = [ListCompaniesHandler, GetCompanyHandler];
