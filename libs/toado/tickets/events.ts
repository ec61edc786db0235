import type { Person } from '../../person/person.ts';

/** A ticket and its comments, in stream `ticket-<id>`. Who did it is the event's actor. Times are RFC 3339. */
export type TicketEvent =
  | TicketCreated
  | TicketUpdated
  | TicketMoved
  | TicketArchived
  | TicketRestored
  | TicketBranchRecorded
  | TicketAssigned
  | TicketCommented;

/** Where a ticket lies. `position` is its place in the column: texts, compared byte by byte. */
export interface TicketPlace {
  readonly company: string;
  readonly project: string;
  readonly column: string;
  readonly position: string;
}

export interface TicketCreated {
  readonly type: 'TicketCreated';
  readonly data: TicketPlace & {
    readonly id: string;
    readonly workspace: string;
    readonly title: string;
    readonly body: string;
    readonly branch: string | null;
    readonly assignees: readonly Person[];
    readonly at: string;
  };
}

/** Title and body as they are afterwards. */
export interface TicketUpdated {
  readonly type: 'TicketUpdated';
  readonly data: { readonly title: string; readonly body: string; readonly at: string };
}

export interface TicketMoved {
  readonly type: 'TicketMoved';
  readonly data: TicketPlace & { readonly at: string };
}

export interface TicketArchived {
  readonly type: 'TicketArchived';
  readonly data: { readonly at: string };
}

/** Back where it was, or in another column where its own is gone. */
export interface TicketRestored {
  readonly type: 'TicketRestored';
  readonly data: Pick<TicketPlace, 'column' | 'position'> & { readonly at: string };
}

export interface TicketBranchRecorded {
  readonly type: 'TicketBranchRecorded';
  /** The git branch it is worked on in; null: none any more. */
  readonly data: { readonly branch: string | null; readonly at: string };
}

/** All who are assigned afterwards, and what changed. */
export interface TicketAssigned {
  readonly type: 'TicketAssigned';
  readonly data: {
    readonly assignees: readonly Person[];
    readonly assigned: readonly string[];
    readonly unassigned: readonly string[];
    readonly at: string;
  };
}

export interface TicketCommented {
  readonly type: 'TicketCommented';
  readonly data: { readonly comment: string; readonly body: string; readonly at: string };
}

export const TICKET_PREFIX = 'ticket-';
export const ticketStream = (id: string): string => `${TICKET_PREFIX}${id}`;
