import { Query } from '@nestjs/cqrs';
import type { Person } from '../person/person.ts';
import type { Page } from '../read-db/page.ts';

/** What can be asked of the audit trail; answered in projections/audit. */

/** A call, many refused ones, or a change that was made. Fields as they go over the wire. */
export interface AuditEntry {
  readonly position: number;
  readonly kind: 'change' | 'use' | 'denials';
  readonly type: string;
  readonly time: string;
  readonly stream: string;
  readonly revision: number;
  /** Who called; of a change of a token, the token that was changed, and `by_token` who did it. */
  readonly token: string | null;
  readonly by_token: string | null;
  readonly owner: Person | null;
  readonly label: string | null;
  readonly face: string | null;
  readonly operation: string | null;
  readonly resource: string | null;
  readonly company: string | null;
  readonly decision: string | null;
  readonly reason: string | null;
  readonly status: number | null;
  readonly client_address: string | null;
  readonly client_name: string | null;
  readonly request_id: string | null;
  /** Calls it stands for; 0 for a change, whose call is an entry of its own. */
  readonly calls: number;
  /** Of changes of tokens: what was recorded, without the digest. */
  readonly data: unknown;
}

export interface AuditFilter {
  /** Null: what belongs to none, like calls without a valid token. */
  readonly workspace: string | null;
  readonly token?: string | undefined;
  readonly owner?: string | undefined;
  readonly label?: string | undefined;
  readonly company?: string | undefined;
  readonly operation?: string | undefined;
  readonly face?: string | undefined;
  readonly decision?: string | undefined;
  readonly resource?: string | undefined;
  readonly client_address?: string | undefined;
  readonly kind?: AuditEntry['kind'] | undefined;
  /** RFC 3339 in UTC with milliseconds; from is included, to is not. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Anywhere in the entry's texts, whatever the case. */
  readonly text?: string | undefined;
}

/** Newest first. A malformed cursor throws BadCursor (libs/read-db/page.ts). */
export class ListAudit extends Query<Page<AuditEntry>> {
  constructor(
    readonly filter: AuditFilter,
    readonly page: { readonly cursor: string | null; readonly limit: number },
  ) {
    super();
  }
}

export const GROUPS = ['minute', 'hour', 'day', 'token', 'owner', 'operation', 'face', 'decision', 'reason'] as const;
export type AuditGroup = (typeof GROUPS)[number];

export interface AuditCount {
  readonly key: string | null;
  readonly calls: number;
  readonly refused: number;
}

/** Calls by time, oldest first, or by what they have in common, most first. */
export class CountAudit extends Query<readonly AuditCount[]> {
  constructor(
    readonly filter: AuditFilter,
    readonly by: AuditGroup,
  ) {
    super();
  }
}

/** The changes made to a thing, oldest first. */
export class ListWriters extends Query<readonly AuditEntry[]> {
  constructor(readonly request: { readonly workspace: string; readonly resource: string }) {
    super();
  }
}
