import { Query } from '@nestjs/cqrs';
import type { By } from '../person/actor.ts';
import type { Page, PageAsked } from '../read-db/page.ts';
import type { Reach } from '../toado/reach.ts';

/** What can be asked of people and members. */

export interface PersonView {
  readonly id: string;
  readonly name: string;
  /** Ids of the companies they are a member of. */
  readonly companies: readonly string[];
  /** Revision of their stream: their ETag, and what `If-Match` takes. */
  readonly version: number;
  readonly by: By;
  readonly created_at: string;
  readonly updated_at: string;
}

/** A person as a member of one company. */
export interface MemberView {
  /** Person id: what tickets are assigned to. */
  readonly id: string;
  readonly name: string;
  readonly company: string;
  readonly since: string;
}

/** Newest first. */
export class ListPeople extends Query<Page<PersonView>> {
  constructor(readonly request: PageAsked & { readonly workspace: string }) {
    super();
  }
}

/** Newest first; of one company, or of all that can be reached. */
export class ListMembers extends Query<Page<MemberView>> {
  constructor(readonly request: PageAsked & { readonly reach: Reach; readonly company?: string | undefined }) {
    super();
  }
}
