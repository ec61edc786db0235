import { Query } from '@nestjs/cqrs';
import type { By } from '../../person/actor.ts';
import type { Page, PageAsked } from '../../read-db/page.ts';
import type { Reach } from '../reach.ts';

/** What can be asked of companies; answered in projections/toado. */

export interface CompanyView {
  readonly id: string;
  readonly name: string;
  /** What its tokens have that have no limit of their own; null: the catalogue's. */
  readonly limits: {
    readonly reads: { readonly per_minute: number | null };
    readonly writes: { readonly per_minute: number | null };
  };
  /** Revision of its stream: its ETag, and what `If-Match` takes. */
  readonly version: number;
  readonly by: By;
  readonly created_at: string;
  readonly updated_at: string;
}

/** Newest first. */
export class ListCompanies extends Query<Page<CompanyView>> {
  constructor(readonly request: PageAsked & { readonly reach: Reach }) {
    super();
  }
}

/** Null: not there, or out of reach. */
export class GetCompany extends Query<CompanyView | null> {
  constructor(readonly request: { readonly reach: Reach; readonly id: string; readonly nowMs: number }) {
    super();
  }
}
