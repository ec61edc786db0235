import { type RawBuilder, sql } from 'kysely';
import type { Reach } from '../../libs/toado/reach.ts';

/** The columns that say where a row lies. */
interface Lies {
  readonly workspace: string;
  readonly company: string;
  /** Null: rows that lie in no project. */
  readonly project: string | null;
}

/**
 * The WHERE of every Toado query: the caller's workspace (P13), and what its token is pinned to (P8). What it leaves
 * out is not there, for lists, counts and single reads alike.
 */
export function within({ workspace, companies, projects }: Reach, lies: Lies): RawBuilder<boolean> {
  const conditions = [sql`${sql.ref(lies.workspace)} = ${workspace}`];
  if (companies.length > 0) conditions.push(oneOf(lies.company, companies));
  if (projects.length > 0 && lies.project !== null) conditions.push(oneOf(lies.project, projects));
  return sql<boolean>`(${sql.join(conditions, sql` and `)})`;
}

/** Of tickets and what hangs on them, whose tables are joined with theirs. */
export const IN_TICKETS: Lies = {
  workspace: 'tickets.workspace',
  company: 'tickets.company',
  project: 'tickets.project',
};

const oneOf = (column: string, ids: readonly string[]): RawBuilder<unknown> =>
  sql`${sql.ref(column)} in (${sql.join(ids)})`;
