import { Query } from '@nestjs/cqrs';
import type { Page } from '../read-db/page.ts';
import type { LiveToken, RevokedToken } from './token.ts';

/** A token as a list knows it: all but its digest. */
export interface ListedToken {
  readonly token: Omit<LiveToken, 'digest'> | Omit<RevokedToken, 'digest'>;
  readonly revision: number;
  /** False while a predecessor has yet to name it. */
  readonly activated: boolean;
}

/** The tokens of a workspace, newest first; answered in projections/tokens. */
export class ListTokens extends Query<Page<ListedToken>> {
  constructor(
    readonly request: {
      readonly workspace: string;
      readonly owner?: string | undefined;
      readonly catalogue?: string | undefined;
      /** A malformed one throws BadCursor (libs/read-db/page.ts). */
      readonly cursor: string | null;
      readonly limit: number;
    },
  ) {
    super();
  }
}
