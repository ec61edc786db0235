import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Expression, type ExpressionBuilder, type Kysely, sql, type SqlBool } from 'kysely';
import {
  type AuditCount,
  type AuditEntry,
  type AuditFilter,
  type AuditGroup,
  CountAudit,
  ListAudit,
  ListWriters,
} from '../../libs/audit/queries.ts';
import { monthOf } from '../../libs/projection/partitions.ts';
import { tablesOf } from '../../libs/projection/projection.ts';
import { decodeCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import { audit, type AuditTables } from './audit.projection.ts';

const MOST_GROUPS = 1_000;
const MOST_WRITERS = 500;
/** A chart of less is asked for by filters. */
const SAME = [
  'token',
  'owner',
  'label',
  'company',
  'operation',
  'face',
  'decision',
  'resource',
  'client_address',
  'kind',
] as const;

/** The workspace is in the WHERE of every question: another one's entries are not there (P13). */
function matches(eb: ExpressionBuilder<AuditTables, 'entries'>, filter: AuditFilter): Expression<SqlBool> {
  const { workspace, from, to, text } = filter;
  const all: Expression<SqlBool>[] = [eb('workspace', 'is not distinct from', workspace)];
  for (const column of SAME) {
    const value = filter[column];
    if (value !== undefined) all.push(eb(column, '=', value));
  }
  // By month too, so that PostgreSQL looks into no partition in vain.
  if (from !== undefined) all.push(eb('time', '>=', Date.parse(from)), eb('month', '>=', monthOf(from)));
  if (to !== undefined) all.push(eb('time', '<', Date.parse(to)), eb('month', '<=', monthOf(to)));
  if (text !== undefined) {
    const pattern = `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    all.push(sql<SqlBool>`concat_ws(' ', type, operation, resource, label, owner_name, reason, client_name,
      client_address, request_id, data) ilike ${pattern}`);
  }
  return eb.and(all);
}

const view = (row: AuditTables['entries']): AuditEntry => ({
  position: row.position,
  kind: row.kind,
  type: row.type,
  time: new Date(row.time).toISOString(),
  stream: row.stream,
  revision: row.revision,
  token: row.token,
  by_token: row.by_token,
  owner: row.owner === null ? null : { id: row.owner, name: row.owner_name ?? '' },
  label: row.label,
  face: row.face,
  operation: row.operation,
  resource: row.resource,
  company: row.company,
  decision: row.decision,
  reason: row.reason,
  status: row.status,
  client_address: row.client_address,
  client_name: row.client_name,
  request_id: row.request_id,
  calls: row.calls,
  data: row.data,
});

@QueryHandler(ListAudit)
export class ListAuditHandler implements IQueryHandler<ListAudit> {
  readonly #db: Kysely<AuditTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, audit);
  }

  async execute({ filter, page: { cursor, limit } }: ListAudit): Promise<Page<AuditEntry>> {
    const place = decodeCursor('audit', cursor, 4);
    let query = this.#db
      .selectFrom('entries')
      .selectAll()
      .where((eb) => matches(eb, filter));
    if (place !== null) {
      const [month, time, position, part] = place;
      query = query.where(sql<SqlBool>`(month, time, position, part) < (${month}, ${time}, ${position}, ${part})`);
    }
    const rows = await query
      .orderBy('month', 'desc')
      .orderBy('time', 'desc')
      .orderBy('position', 'desc')
      .orderBy('part', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(rows, limit, view, (row) => encodeCursor('audit', row.month, row.time, row.position, row.part));
  }
}

/** Of time: how wide, and how much of its first instant (RFC 3339) is its key. */
interface Bucket {
  readonly ms: number;
  readonly characters: number;
}

const BUCKETS: Partial<Record<AuditGroup, Bucket>> = {
  minute: { ms: 60_000, characters: 16 },
  hour: { ms: 3_600_000, characters: 13 },
  day: { ms: 86_400_000, characters: 10 },
};

const keyOf = (found: string | number | null, bucket: Bucket | undefined): string | null =>
  typeof found === 'number' && bucket !== undefined
    ? new Date(found * bucket.ms).toISOString().slice(0, bucket.characters)
    : (found as string | null);

@QueryHandler(CountAudit)
export class CountAuditHandler implements IQueryHandler<CountAudit> {
  readonly #db: Kysely<AuditTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, audit);
  }

  async execute({ filter, by }: CountAudit): Promise<readonly AuditCount[]> {
    const bucket = BUCKETS[by];
    const key = sql<string | number | null>`${bucket === undefined ? sql.id(by) : sql`time / ${sql.lit(bucket.ms)}`}`;
    const rows = await this.#db
      .selectFrom('entries')
      .select([
        key.as('key'),
        sql<number>`sum(calls)::int`.as('calls'),
        sql<number>`coalesce(sum(calls) filter (where decision = 'refused'), 0)::int`.as('refused'),
      ])
      .where((eb) => matches(eb, filter))
      .where('calls', '>', 0)
      .groupBy(key)
      .orderBy(bucket === undefined ? sql`2 desc, 1` : sql`1`)
      .limit(MOST_GROUPS)
      .execute();
    return rows.map(({ key: found, ...counted }) => ({ key: keyOf(found, bucket), ...counted }));
  }
}

@QueryHandler(ListWriters)
export class ListWritersHandler implements IQueryHandler<ListWriters> {
  readonly #db: Kysely<AuditTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, audit);
  }

  async execute({ request: { workspace, resource } }: ListWriters): Promise<readonly AuditEntry[]> {
    const rows = await this.#db
      .selectFrom('entries')
      .selectAll()
      .where('workspace', '=', workspace)
      .where('resource', '=', resource)
      .where('kind', '=', 'change')
      .orderBy('month')
      .orderBy('position')
      .limit(MOST_WRITERS)
      .execute();
    return rows.map(view);
  }
}

export const AUDIT_QUERIES = [ListAuditHandler, CountAuditHandler, ListWritersHandler];
