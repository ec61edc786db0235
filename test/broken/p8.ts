import type { Breakage } from './breakage.ts';

const WITHIN_COMPANY = 'if (companies.length > 0) conditions.push(oneOf(lies.company, companies));';
const WITHIN_PROJECT =
  'if (projects.length > 0 && lies.project !== null) conditions.push(oneOf(lies.project, projects));';

export const P8: readonly Breakage[] = [
  {
    broken: 'A token pinned to a company sees every company’s tickets.',
    file: 'projections/toado/within.ts',
    text: WITHIN_COMPANY,
    replacement: '',
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'A token pinned to projects sees all of its company’s.',
    file: 'projections/toado/within.ts',
    text: WITHIN_PROJECT,
    replacement: '',
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'The count of a column’s tickets counts those of other companies.',
    file: 'projections/toado/ticket-queries.ts',
    text: 'const { count } = await ticketsWithin(this.#db, reach)',
    replacement: 'const { count } = await ticketsWithin(this.#db, { ...reach, companies: [], projects: [] })',
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'A read of a ticket elsewhere finds it.',
    file: 'projections/toado/ticket-queries.ts',
    text: "const row = await ticketsWithin(this.#db, reach).selectAll().where('id', '=', id).executeTakeFirst();",
    replacement:
      "const row = await ticketsWithin(this.#db, { ...reach, companies: [], projects: [] }).selectAll().where('id', '=', id).executeTakeFirst();",
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'The comments on a ticket elsewhere are listed.',
    file: 'projections/toado/ticket-queries.ts',
    text: `const [before] = decodeCursor('ticket-comments', cursor) ?? [];
    if (!(await reaches(this.#db, reach, ticket))) return null;`,
    replacement: "const [before] = decodeCursor('ticket-comments', cursor) ?? [];",
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'What happened to a ticket elsewhere is listed.',
    file: 'projections/toado/ticket-queries.ts',
    text: `const [before] = decodeCursor('ticket-activity', cursor) ?? [];
    if (!(await reaches(this.#db, reach, ticket))) return null;`,
    replacement: "const [before] = decodeCursor('ticket-activity', cursor) ?? [];",
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'A search finds tickets elsewhere.',
    file: 'projections/toado/search-query.ts',
    text: "from ${table('tickets')} where ${within(reach, IN_TICKETS)} and",
    replacement: "from ${table('tickets')} where",
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'A search finds comments elsewhere.',
    file: 'projections/toado/search-query.ts',
    text: 'where ${within(reach, IN_TICKETS)} and ${comments}',
    replacement: 'where ${comments}',
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'A search counts what it does not show.',
    file: 'projections/toado/search-query.ts',
    text: 'from (${matches([kind], query, reach)} limit',
    replacement: 'from (${matches([kind], query, { ...reach, companies: [], projects: [] })} limit',
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'Other companies are listed, with their names.',
    file: 'projections/toado/company-queries.ts',
    text: "let query = this.#db.selectFrom('companies').selectAll().where(within(reach, LIES));",
    replacement: "let query = this.#db.selectFrom('companies').selectAll().where('workspace', '=', reach.workspace);",
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'Projects elsewhere are listed, and their columns.',
    file: 'projections/toado/project-queries.ts',
    text: "db.selectFrom('projects').where(within(reach, LIES));",
    replacement: "db.selectFrom('projects').where('workspace', '=', reach.workspace);",
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'A column elsewhere can be read.',
    file: 'projections/toado/project-queries.ts',
    text: "const row = await columnsWithin(this.#db, reach).where('columns.id', '=', id).executeTakeFirst();",
    replacement:
      "const row = await columnsWithin(this.#db, { ...reach, companies: [], projects: [] }).where('columns.id', '=', id).executeTakeFirst();",
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'What is said on a file elsewhere is listed.',
    file: 'projections/toado/asset-queries.ts',
    text: 'if (found.length === 0) return null;',
    replacement: '',
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'The files of a ticket elsewhere can be had.',
    file: 'projections/toado/asset-queries.ts',
    text: "db.selectFrom('tickets').where(within(reach, IN_TICKETS));",
    replacement: "db.selectFrom('tickets').where('tickets.workspace', '=', reach.workspace);",
    spec: 'projections/toado/restriction.spec.ts',
  },
  {
    broken: 'A write to a ticket elsewhere goes through.',
    file: 'libs/toado/tickets/decide.ts',
    text: "if (beyond !== null) return refuse({ code: beyond, of: 'ticket' });",
    replacement: "if (ticket.status === 'none') return refuse({ code: beyond ?? 'not_found', of: 'ticket' });",
    spec: 'libs/toado/tickets/decide.spec.ts',
  },
  {
    broken: 'A ticket can be made in, or moved into, a project out of reach.',
    file: 'libs/toado/tickets/decide.ts',
    text: "if (beyond !== null || project.status === 'none') return",
    replacement: "if (project.status === 'none') return",
    spec: 'libs/toado/tickets/decide.spec.ts',
  },
  {
    broken: 'A write tells what is elsewhere from what is nowhere.',
    file: 'libs/toado/reach.ts',
    text: "return reach.companies.length > 0 || reach.projects.length > 0 ? 'forbidden' : 'not_found';",
    replacement: "return place !== null ? 'forbidden' : 'not_found';",
    spec: 'libs/toado/reach.spec.ts',
  },
  {
    broken: 'A restricted token sees routines that name what it must not see.',
    file: 'libs/routines/reach.ts',
    text: 'lineage: restricted ? lineage : null',
    replacement: 'lineage: restricted && lineage === catalogue ? lineage : null',
    spec: 'libs/routines/reach.spec.ts',
  },
  {
    broken: 'An MCP stream tells of a ticket that was made out of reach.',
    file: 'libs/mcp/open-streams.ts',
    text: 'if (await this.#mayHearOf(stream, resource)) return stream.voice.resourcesChanged();',
    replacement: 'await this.#mayHearOf(stream, resource);\n      return stream.voice.resourcesChanged();',
    spec: 'test/e2e/mcp-streams.spec.ts',
  },
  {
    broken: 'An MCP stream tells of a change of what its token cannot see any more.',
    file: 'libs/mcp/open-streams.ts',
    text: 'if (await this.#mayHearOf(stream, changed)) stream.voice.resourceUpdated(uri);',
    replacement: 'await this.#mayHearOf(stream, changed);\n    stream.voice.resourceUpdated(uri);',
    spec: 'test/e2e/mcp-tickets.spec.ts',
  },
  {
    broken: 'A token pinned to a company sees who is a member of others.',
    file: 'projections/people/queries.ts',
    text: "if (reach.companies.length > 0) query = query.where('members.company', 'in', reach.companies);",
    replacement: '',
    spec: 'test/e2e/people.spec.ts',
  },
];
