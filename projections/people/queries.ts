import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Kysely, sql } from 'kysely';
import { ListMembers, ListPeople, type MemberView, type PersonView } from '../../libs/people/queries.ts';
import { attribute } from '../../libs/person/attribution.ts';
import { tablesOf } from '../../libs/projection/projection.ts';
import { decodeCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import { people, type PeopleTables } from './people.projection.ts';

@QueryHandler(ListPeople)
export class ListPeopleHandler implements IQueryHandler<ListPeople> {
  readonly #db: Kysely<PeopleTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, people);
  }

  async execute({ request: { workspace, cursor, limit, nowMs } }: ListPeople): Promise<Page<PersonView>> {
    const [before] = decodeCursor('people', cursor) ?? [];
    let query = this.#db
      .selectFrom('people')
      .selectAll()
      .select(({ selectFrom }) =>
        selectFrom('members')
          .select(sql<string[]>`coalesce(jsonb_agg(company order by company), '[]')`.as('ids'))
          .whereRef('members.person', '=', 'people.id')
          .where('members.current', '=', true)
          .as('companies'),
      )
      .where('workspace', '=', workspace);
    if (before !== undefined) query = query.where('position', '<', before);
    const rows = await query
      .orderBy('position', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      ({ id, name, companies, version, actor, created_at, updated_at }) => ({
        id,
        name,
        companies: companies ?? [],
        version,
        by: attribute(actor, updated_at, nowMs),
        created_at,
        updated_at,
      }),
      (row) => encodeCursor('people', row.position),
    );
  }
}

@QueryHandler(ListMembers)
export class ListMembersHandler implements IQueryHandler<ListMembers> {
  readonly #db: Kysely<PeopleTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, people);
  }

  /** Workspace and restriction are in the WHERE: who is elsewhere is not there (P8, P13). */
  async execute({ request: { reach, company, cursor, limit } }: ListMembers): Promise<Page<MemberView>> {
    const [before] = decodeCursor('members', cursor) ?? [];
    let query = this.#db
      .selectFrom('members')
      .innerJoin('people', 'people.id', 'members.person')
      .select(['people.id', 'people.name', 'members.company', 'members.since', 'members.position'])
      .where('people.workspace', '=', reach.workspace)
      .where('members.current', '=', true);
    if (reach.companies.length > 0) query = query.where('members.company', 'in', reach.companies);
    if (company !== undefined) query = query.where('members.company', '=', company);
    if (before !== undefined) query = query.where('members.position', '<', before);
    const rows = await query
      .orderBy('members.position', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      ({ id, name, company: of, since }) => ({ id, name, company: of, since }),
      (row) => encodeCursor('members', row.position),
    );
  }
}

export const PEOPLE_QUERIES = [ListPeopleHandler, ListMembersHandler];
