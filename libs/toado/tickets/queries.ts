import { Query } from '@nestjs/cqrs';
import type { By } from '../../person/actor.ts';
import type { Person } from '../../person/person.ts';
import type { Page, PageAsked } from '../../read-db/page.ts';
import type { Gap, Placement } from '../ordering.ts';
import type { Reach } from '../reach.ts';
import type { TicketEvent } from './events.ts';

/** What can be asked of tickets; answered in projections/toado. */

export interface TicketView {
  readonly id: string;
  readonly project: string;
  readonly company: string;
  readonly column: string;
  /** Place in the column: texts, compared byte by byte. */
  readonly position: string;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  readonly archived: boolean;
  /** The git branch it is worked on in. */
  readonly branch: string | null;
  readonly assignees: readonly Person[];
  /** The last who wrote the ticket itself. */
  readonly by: By;
  /** Revision of its stream, comments included: its ETag, and what `If-Match` takes. */
  readonly version: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface TicketCommentView {
  readonly id: string;
  readonly ticket: string;
  readonly body: string;
  readonly by: By;
  readonly created_at: string;
}

export interface TicketActivityView {
  readonly type: TicketEvent['type'];
  readonly version: number;
  /** The comment it is about; null: the ticket itself. */
  readonly comment: string | null;
  readonly by: By;
}

export interface TicketFilter {
  readonly company?: string | undefined;
  readonly project?: string | undefined;
  readonly column?: string | undefined;
  /** Person id. */
  readonly assignee?: string | undefined;
  readonly branch?: string | undefined;
  readonly archived: boolean;
}

/** Of a column: in its order; else newest first. */
export class ListTickets extends Query<Page<TicketView>> {
  constructor(readonly request: PageAsked & TicketFilter & { readonly reach: Reach }) {
    super();
  }
}

interface OneAsked {
  readonly reach: Reach;
  readonly id: string;
  readonly nowMs: number;
}

/** Null: not there, or out of reach. */
export class GetTicket extends Query<TicketView | null> {
  constructor(readonly request: OneAsked) {
    super();
  }
}

/** Newest first; null: no such ticket within reach. */
export class ListTicketComments extends Query<Page<TicketCommentView> | null> {
  constructor(readonly request: PageAsked & { readonly reach: Reach; readonly ticket: string }) {
    super();
  }
}

/** Newest first; null: no such ticket within reach. */
export class ListTicketActivity extends Query<Page<TicketActivityView> | null> {
  constructor(readonly request: PageAsked & { readonly reach: Reach; readonly ticket: string }) {
    super();
  }
}

/** How many live tickets a column holds. */
export class CountTickets extends Query<number> {
  constructor(readonly request: { readonly reach: Reach; readonly column: string }) {
    super();
  }
}

/** The gap a placement means among a column's live tickets; null: what it names is not there. */
export class FindGap extends Query<Gap | null> {
  constructor(
    readonly request: {
      readonly reach: Reach;
      readonly column: string;
      /** `behind`: right behind this position, whoever has it. */
      readonly placement: Placement | { readonly behind: string };
      /** The ticket that is moved counts for nothing. */
      readonly moving: string | null;
    },
  ) {
    super();
  }
}
