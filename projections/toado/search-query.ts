import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { schemaOf } from '../../libs/projection/projection.ts';
import { decodeCursor, encodeCursor } from '../../libs/read-db/page.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import type { Reach } from '../../libs/toado/reach.ts';
import {
  type Found,
  type Hit,
  MOST_COUNTED,
  MOST_HITS,
  Search,
  SEARCHED,
  type Searched,
} from '../../libs/toado/search/queries.ts';
import { COMMENT_WORDS, PROJECT_WORDS, TICKET_WORDS } from './searched.ts';
import { toado } from './toado.projection.ts';
import { IN_TICKETS, within } from './within.ts';

const IN_PROJECTS = { workspace: 'projects.workspace', company: 'projects.company', project: 'projects.id' };

interface Row extends Omit<Hit, 'snippet'> {
  readonly snippet: string;
}

/** Around what was found; private-use characters, taken out of the text beforehand, so that nothing else can be one. */
const START = '\u{e000}';
const STOP = '\u{e001}';
const HEADLINE = `StartSel=${START}, StopSel=${STOP}, MaxFragments=2, MaxWords=20, MinWords=8, FragmentDelimiter=" … "`;

@QueryHandler(Search)
export class SearchHandler implements IQueryHandler<Search> {
  readonly #db: Kysely<unknown>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = readDb.db;
  }

  async execute({ request: { reach, text, kind, cursor, limit } }: Search): Promise<Found> {
    const [skipped = 0] = decodeCursor('search', cursor) ?? [];
    const query = sql`websearch_to_tsquery('english', ${text})`;
    const kinds = kind === undefined ? SEARCHED : [kind];
    const room = Math.max(0, Math.min(limit, MOST_HITS - skipped));
    const found = matches(kinds, query, reach);
    // Snippets are made of what is shown only: they cost more than finding.
    const { rows } = await sql<Row>`
      select kind, id, ticket, project, company, title, archived,
        ts_headline('english', translate(left(source, 100000), ${START + STOP}, ''), ${query}, ${HEADLINE}) as snippet
      from (select * from (${found}) as found order by rank desc, log_position desc, id
        limit ${room + 1} offset ${skipped}) as shown
      order by rank desc, log_position desc, id`.execute(this.#db);
    const shown = rows.slice(0, room);
    return {
      items: shown.map(({ snippet, ...hit }) => ({ ...hit, snippet: piecesOf(snippet) })),
      next: rows.length > room && skipped + room < MOST_HITS ? encodeCursor('search', skipped + room) : null,
      counts: await this.#counts(kinds, query, reach),
    };
  }

  async #counts(kinds: readonly Searched[], query: RawBuilder<unknown>, reach: Reach): Promise<Found['counts']> {
    const counts = { ticket: 0, comment: 0, project: 0 };
    for (const kind of kinds) {
      const { rows } = await sql<{ count: number }>`
        select count(*)::int as count from (${matches([kind], query, reach)} limit ${MOST_COUNTED}) as counted
      `.execute(this.#db);
      counts[kind] = rows[0]?.count ?? 0;
    }
    return counts;
  }
}

/** Workspace and restriction are in the WHERE of each: what is out of reach is neither found nor counted (P8). */
function matches(kinds: readonly Searched[], query: RawBuilder<unknown>, reach: Reach): RawBuilder<unknown> {
  const table = (name: string) => sql`${sql.id(schemaOf(toado), name)} as ${sql.id(name)}`;
  const tickets = words(TICKET_WORDS, 'tickets');
  const comments = words(COMMENT_WORDS, 'ticket_comments');
  const projects = words(PROJECT_WORDS, 'projects');
  const of = {
    ticket: sql`select 'ticket' as kind, tickets.id, tickets.id as ticket, tickets.project, tickets.company,
        tickets.title, tickets.archived, tickets.title || ' — ' || tickets.body as source,
        ts_rank_cd(${tickets}, ${query}) as rank, tickets.log_position
      from ${table('tickets')} where ${within(reach, IN_TICKETS)} and ${tickets} @@ ${query}`,
    comment: sql`select 'comment' as kind, ticket_comments.id, tickets.id as ticket, tickets.project, tickets.company,
        tickets.title, tickets.archived, ticket_comments.body as source,
        ts_rank_cd(${comments}, ${query}) as rank, ticket_comments.log_position
      from ${table('ticket_comments')} join ${table('tickets')} on tickets.id = ticket_comments.ticket
      where ${within(reach, IN_TICKETS)} and ${comments} @@ ${query}`,
    project: sql`select 'project' as kind, projects.id, null::text as ticket, projects.id as project, projects.company,
        projects.name as title, projects.archived, projects.name || ' — ' || projects.description as source,
        ts_rank_cd(${projects}, ${query}) as rank, projects.log_position
      from ${table('projects')} where ${within(reach, IN_PROJECTS)} and ${projects} @@ ${query}`,
  };
  return sql.join(
    kinds.map((kind) => of[kind]),
    sql` union all `,
  );
}

/** The indexed expression, of the columns of one table of the query. */
const words = (expression: string, table: string): RawBuilder<unknown> =>
  sql.raw(`(${expression.replaceAll(/left\((\w+),/g, `left(${table}.$1,`)})`);

function piecesOf(headline: string): Hit['snippet'] {
  return headline
    .split(new RegExp(`(${START}[^${STOP}]*${STOP})`, 'u'))
    .filter((piece) => piece !== '')
    .map((piece) => {
      const hit = piece.startsWith(START);
      return { text: hit ? piece.slice(1, -1) : piece, hit };
    });
}
