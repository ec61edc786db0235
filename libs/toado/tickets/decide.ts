import { type Decider, isRefused, type Refused, refuse } from '../../event-log/decide-and-append.ts';
import type { FoundPerson } from '../../people/find-person.ts';
import type { Person } from '../../person/person.ts';
import { positionIn } from '../ordering.ts';
import type { Project } from '../projects/project.ts';
import { outOfReach, type Place, type Reach } from '../reach.ts';
import type {
  AssignTicket,
  CreateTicket,
  MoveTicket,
  RestoreTicket,
  Spot,
  TicketCommand,
  UpdateTicket,
} from './commands.ts';
import type { TicketEvent, TicketPlace } from './events.ts';
import { evolve, type KnownTicket, noTicket, type Ticket } from './ticket.ts';

export type TicketRefusal =
  | { readonly code: 'not_found' | 'forbidden'; readonly of: 'ticket' | 'project' }
  | { readonly code: 'exists' }
  | { readonly code: 'archived' }
  | { readonly code: 'project_archived' }
  | { readonly code: 'column_not_found' }
  | { readonly code: 'neighbour_not_found' }
  | { readonly code: 'moved_meanwhile' }
  | { readonly code: 'too_many_assignees' }
  | { readonly code: 'no_member' };

type Decision = readonly TicketEvent[] | Refused<TicketRefusal>;

export const MOST_ASSIGNEES = 50;

export function decide(command: TicketCommand, ticket: Ticket): Decision {
  if (command.type === 'CreateTicket') return ticket.status === 'none' ? create(command) : refuse({ code: 'exists' });
  const place: Place | null = ticket.status === 'none' ? null : ticket;
  const beyond = outOfReach(command.reach, place);
  if (beyond !== null) return refuse({ code: beyond, of: 'ticket' });
  // Nothing is out of reach above, so the ticket is known.
  const known = ticket as KnownTicket;
  if (command.type === 'RestoreTicket') return known.status === 'live' ? [] : restore(command, known);
  if (known.status === 'archived') return command.type === 'ArchiveTicket' ? [] : refuse({ code: 'archived' });
  return decideLive(command, known);
}

function decideLive(command: Exclude<TicketCommand, CreateTicket | RestoreTicket>, ticket: KnownTicket): Decision {
  const { at } = command;
  switch (command.type) {
    case 'UpdateTicket':
      return update(command, ticket);
    case 'MoveTicket':
      return move(command, ticket);
    case 'ArchiveTicket':
      return [{ type: 'TicketArchived', data: { at } }];
    case 'RecordBranch': {
      const { branch } = command;
      return branch === ticket.branch ? [] : [{ type: 'TicketBranchRecorded', data: { branch, at } }];
    }
    case 'AssignTicket':
      return assign(command, ticket);
    case 'CommentTicket':
      return [{ type: 'TicketCommented', data: { comment: command.comment, body: command.body, at } }];
    default:
      return unknownCommand(command);
  }
}

function create({ id, reach, spot, title, body, branch, assignees, at }: CreateTicket): Decision {
  const place = placeAt(spot, reach);
  if (isRefused<TicketRefusal>(place)) return place;
  const people = allowed(assignees, [], place.company);
  if (isRefused<TicketRefusal>(people)) return people;
  const facts = { id, workspace: reach.workspace, ...place, title, body, branch, assignees: people };
  return [{ type: 'TicketCreated', data: { ...facts, at } }];
}

function update({ title, body, assignees, at }: UpdateTicket, ticket: KnownTicket): Decision {
  const events: TicketEvent[] = [];
  const after = { title: title ?? ticket.title, body: body ?? ticket.body };
  if (after.title !== ticket.title || after.body !== ticket.body) {
    events.push({ type: 'TicketUpdated', data: { ...after, at } });
  }
  if (assignees === undefined) return events;
  const assigned = assignment(ticket, assignees, at);
  return isRefused<TicketRefusal>(assigned) ? assigned : [...events, ...assigned];
}

function assign({ assign: added, unassign, at }: AssignTicket, ticket: KnownTicket): Decision {
  const staying = ticket.assignees.filter(({ id }) => !added.some((each) => each.id === id));
  return assignment(
    ticket,
    [...staying, ...added].filter(({ id }) => !unassign.includes(id)),
    at,
  );
}

function assignment(
  ticket: KnownTicket,
  wanted: readonly (Person | FoundPerson)[],
  at: string,
): readonly TicketEvent[] | Refused<TicketRefusal> {
  const assignees = allowed(wanted, ticket.assignees, ticket.company);
  if (isRefused<TicketRefusal>(assignees)) return assignees;
  const missingFrom = (others: readonly Person[]) => (person: Person) => !others.some(({ id }) => id === person.id);
  const assigned = assignees.filter(missingFrom(ticket.assignees)).map(({ id }) => id);
  const unassigned = ticket.assignees.filter(missingFrom(assignees)).map(({ id }) => id);
  if (assigned.length === 0 && unassigned.length === 0) return [];
  return [{ type: 'TicketAssigned', data: { assignees, assigned, unassigned, at } }];
}

/** Assigned are members of the ticket's company; who is already may stay. */
function allowed(
  wanted: readonly (Person | FoundPerson)[],
  already: readonly Person[],
  company: string,
): readonly Person[] | Refused<TicketRefusal> {
  if (wanted.length > MOST_ASSIGNEES) return refuse({ code: 'too_many_assignees' });
  const mayBe = (person: Person | FoundPerson): boolean =>
    already.some(({ id }) => id === person.id) || ('companies' in person && person.companies.has(company));
  return wanted.every(mayBe) ? wanted.map(({ id, name }) => ({ id, name })) : refuse({ code: 'no_member' });
}

function move({ reach, spot, at }: MoveTicket, ticket: KnownTicket): Decision {
  const place = placeAt(spot, reach);
  if (isRefused<TicketRefusal>(place)) return place;
  const stays = place.project === ticket.project && place.column === ticket.column && liesIn(spot, ticket.position);
  return stays ? [] : [{ type: 'TicketMoved', data: { ...place, at } }];
}

function restore({ reach, spot, at }: RestoreTicket, ticket: KnownTicket): Decision {
  const { project } = spot;
  if (project.status === 'none' || project.id !== ticket.project) return refuse({ code: 'moved_meanwhile' });
  if (project.status === 'active' && project.columns.has(ticket.column)) {
    return [{ type: 'TicketRestored', data: { column: ticket.column, position: ticket.position, at } }];
  }
  const place = placeAt(spot, reach);
  if (isRefused<TicketRefusal>(place)) return place;
  return [{ type: 'TicketRestored', data: { column: place.column, position: place.position, at } }];
}

/** Where a spot is, if the caller reaches it and a ticket may be put there. */
function placeAt({ project, column, gap, scatter }: Spot, reach: Reach): TicketPlace | Refused<TicketRefusal> {
  const beyond = outOfReach(reach, placeOf(project));
  if (beyond !== null || project.status === 'none') return refuse({ code: beyond ?? 'not_found', of: 'project' });
  if (project.status === 'archived') return refuse({ code: 'project_archived' });
  if (column === null || !project.columns.has(column)) return refuse({ code: 'column_not_found' });
  if (gap === null) return refuse({ code: 'neighbour_not_found' });
  return { company: project.company, project: project.id, column, position: positionIn(gap, scatter) };
}

const placeOf = (project: Project): Place | null =>
  project.status === 'none' ? null : { workspace: project.workspace, company: project.company, project: project.id };

const liesIn = ({ gap }: Spot, position: string): boolean =>
  gap !== null && (gap.lower === null || gap.lower < position) && (gap.upper === null || position < gap.upper);

function unknownCommand(command: never): never {
  throw new Error(`unknown ticket command ${(command as { type: string }).type}`);
}

export const ticketDecider: Decider<TicketCommand, Ticket, TicketEvent, TicketRefusal> = {
  initialState: noTicket,
  decide,
  evolve,
};
