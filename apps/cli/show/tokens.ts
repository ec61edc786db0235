import type { TokenRecord } from '../../../libs/tokens/record.ts';
import { columns, members } from './table.ts';

const listed = (items: readonly string[]): string => items.join(', ');

export function tokenList(tokens: readonly TokenRecord[]): string {
  return columns(
    ['ID', 'NAME', 'OWNER', 'CATALOGUE', 'SCOPES', 'READS/MIN', 'WRITES/MIN', 'STATUS', 'LAST USED'],
    tokens.map((token) => [
      token.id,
      token.name,
      token.owner.name,
      token.catalogue,
      listed(token.scopes),
      `${token.limits.reads.used} of ${token.limits.reads.per_minute}`,
      `${token.limits.writes.used} of ${token.limits.writes.per_minute}`,
      token.status,
      token.last_used_at ?? 'never',
    ]),
  );
}

export function tokenRecord(token: TokenRecord, revision: number | null): string {
  const { reads, writes } = token.limits;
  const pinned = [
    ...token.restrict.companies.map((id) => `company ${id}`),
    ...token.restrict.projects.map((id) => `project ${id}`),
  ];
  return members([
    ['id', token.id],
    ['name', token.name],
    ['status', token.status],
    ['catalogue', token.catalogue],
    ['kind', token.kind],
    ['owner', `${token.owner.name} (${token.owner.id})`],
    ['workspace', token.workspace],
    ['scopes', listed(token.scopes)],
    ['restricted to', pinned.length === 0 ? 'nothing: the whole workspace' : listed(pinned)],
    ['reads a minute', `${reads.used} used of ${reads.per_minute}`],
    ['writes a minute', `${writes.used} used of ${writes.per_minute}`],
    ['created', token.created_at],
    ['expires', token.expires_at ?? 'never'],
    ['last used', token.last_used_at ?? 'never'],
    ...(revision === null ? [] : [['revision', String(revision)] as const]),
    ...(token.predecessor === null ? [] : [['predecessor', token.predecessor] as const]),
    ...(token.successor === null ? [] : [['successor', token.successor] as const]),
  ]);
}
