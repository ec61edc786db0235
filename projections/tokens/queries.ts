import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Kysely } from 'kysely';
import { tablesOf } from '../../libs/projection/projection.ts';
import { decodeCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import { type ListedToken, ListTokens } from '../../libs/tokens/queries.ts';
import { tokens, type TokenTables } from './tokens.projection.ts';

@QueryHandler(ListTokens)
export class ListTokensHandler implements IQueryHandler<ListTokens> {
  readonly #db: Kysely<TokenTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, tokens);
  }

  /** The workspace is in the WHERE: another one's tokens are not there (P13). */
  async execute({ request }: ListTokens): Promise<Page<ListedToken>> {
    const { workspace, owner, catalogue, cursor, limit } = request;
    const [before] = decodeCursor('tokens', cursor) ?? [];
    let query = this.#db.selectFrom('tokens').selectAll().where('workspace', '=', workspace);
    if (owner !== undefined) query = query.where('owner_id', '=', owner);
    if (catalogue !== undefined) query = query.where('catalogue', '=', catalogue);
    if (before !== undefined) query = query.where('position', '<', before);
    const rows = await query
      .orderBy('position', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(rows, limit, listed, (row) => encodeCursor('tokens', row.position));
  }
}

function listed(row: TokenTables['tokens']): ListedToken {
  const { id, lineage, catalogue, kind, name, owner, workspace, scopes, restrict, limits, predecessor } = row;
  const facts = {
    id,
    lineage,
    catalogue,
    kind,
    name,
    owner,
    workspace,
    scopes,
    restrict,
    limits,
    predecessor,
    createdAtMs: Date.parse(row.created_at),
    expiresAtMs: ms(row.expires_at),
    rotation: row.successor === null ? null : { successor: row.successor, overlapEndsAtMs: ms(row.overlap_ends_at) },
  };
  const { revision, activated } = row;
  if (row.revoked_at === null || row.revoked_reason === null) {
    return { token: { ...facts, status: row.suspended ? 'suspended' : 'active' }, revision, activated };
  }
  const revocation = { reason: row.revoked_reason, note: row.revoked_note, revokedAtMs: Date.parse(row.revoked_at) };
  return { token: { ...facts, status: 'revoked', ...revocation }, revision, activated };
}

const ms = (time: string | null): number | null => (time === null ? null : Date.parse(time));

export const TOKEN_QUERIES = [ListTokensHandler];
