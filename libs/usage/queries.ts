import { Query } from '@nestjs/cqrs';
import type { Actor } from '../person/actor.ts';
import type { Page } from '../read-db/page.ts';

/** What can be asked of tokens' histories and uses; answered in projections/token-uses. */

/** An event of a token's life, or a use of it (`type` is then `TokenUsed`, `TokenUseEnded` or `TokenUsesDenied`). */
export interface HistoryItem {
  readonly position: number;
  readonly revision: number;
  /** The stream it is durable in: the token's own, a journal, or that of what the token wrote. */
  readonly stream: string;
  readonly type: string;
  /** RFC 3339. */
  readonly time: string;
  /** As recorded, without the token's digest. */
  readonly data: unknown;
  readonly actor: Actor | null;
}

interface HistoryRequest {
  readonly token: string;
  /** A malformed one throws BadCursor (libs/read-db/page.ts). */
  readonly cursor: string | null;
  readonly limit: number;
  /** Nothing beyond this position: a history fixes the head at its start. */
  readonly until?: number | undefined;
}

/** Life and uses, oldest first. That the token is the caller's to see is checked before. */
export class TokenHistory extends Query<Page<HistoryItem>> {
  constructor(readonly request: HistoryRequest) {
    super();
  }
}

/** Uses only, oldest first. */
export class ListUses extends Query<Page<HistoryItem>> {
  constructor(readonly request: HistoryRequest) {
    super();
  }
}

/** The uses under a request id (more than one where a caller sent the same id again). */
export class FindUse extends Query<readonly (HistoryItem & { readonly token: string })[]> {
  constructor(readonly request: { readonly requestId: string; readonly workspace?: string | undefined }) {
    super();
  }
}

/** Time of the last use by token id, RFC 3339; tokens never used are missing. */
export class LastUsed extends Query<ReadonlyMap<string, string>> {
  constructor(readonly tokens: readonly string[]) {
    super();
  }
}

/** What a lineage had used of its windows at an instant, and when the token was last used before it (P10). */
export interface UsedThen {
  readonly used: { readonly reads: number; readonly writes: number };
  readonly lastUsedAt: string | null;
}

export class UsedAt extends Query<UsedThen> {
  constructor(
    readonly request: { readonly token: string; readonly lineage: readonly string[]; readonly atMs: number },
  ) {
    super();
  }
}
