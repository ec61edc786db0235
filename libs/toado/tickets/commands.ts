import type { FoundPerson } from '../../people/find-person.ts';
import type { Gap } from '../ordering.ts';
import type { Project } from '../projects/project.ts';
import type { Reach } from '../reach.ts';

/** What can be asked of a ticket. Every command says how far its caller's token reaches (P8). `at` is RFC 3339. */
export type TicketCommand =
  | CreateTicket
  | UpdateTicket
  | MoveTicket
  | ArchiveTicket
  | RestoreTicket
  | RecordBranch
  | AssignTicket
  | CommentTicket;

interface Asked {
  readonly reach: Reach;
  readonly at: string;
}

/** A place in a column of a project, as both were just before the decision. */
export interface Spot {
  readonly project: Project;
  readonly column: string | null;
  /** Null: what it should stand beside is not in the column. */
  readonly gap: Gap | null;
  /** Keeps apart what is put into one gap at the same time (libs/toado/ordering.ts). */
  readonly scatter: string;
}

export interface CreateTicket extends Asked {
  readonly type: 'CreateTicket';
  readonly id: string;
  readonly spot: Spot;
  readonly title: string;
  readonly body: string;
  readonly branch: string | null;
  readonly assignees: readonly FoundPerson[];
}

export interface UpdateTicket extends Asked {
  readonly type: 'UpdateTicket';
  readonly title?: string;
  readonly body?: string;
  /** All who are assigned afterwards. */
  readonly assignees?: readonly FoundPerson[];
}

export interface MoveTicket extends Asked {
  readonly type: 'MoveTicket';
  readonly spot: Spot;
}

export interface ArchiveTicket extends Asked {
  readonly type: 'ArchiveTicket';
}

export interface RestoreTicket extends Asked {
  readonly type: 'RestoreTicket';
  /** Of its own project: where it goes if its column is gone. */
  readonly spot: Spot;
}

export interface RecordBranch extends Asked {
  readonly type: 'RecordBranch';
  readonly branch: string | null;
}

export interface AssignTicket extends Asked {
  readonly type: 'AssignTicket';
  readonly assign: readonly FoundPerson[];
  /** Person ids. */
  readonly unassign: readonly string[];
}

export interface CommentTicket extends Asked {
  readonly type: 'CommentTicket';
  readonly comment: string;
  readonly body: string;
}
