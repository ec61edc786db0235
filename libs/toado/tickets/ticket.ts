import type { Person } from '../../person/person.ts';
import type { TicketEvent, TicketPlace } from './events.ts';

/** A ticket as its stream tells it. */
export type Ticket = { readonly status: 'none' } | KnownTicket;

export interface KnownTicket extends TicketPlace {
  readonly status: 'live' | 'archived';
  readonly id: string;
  readonly workspace: string;
  readonly title: string;
  readonly body: string;
  readonly branch: string | null;
  readonly assignees: readonly Person[];
  readonly createdAt: string;
  /** Of the ticket itself, its comments apart. */
  readonly updatedAt: string;
}

export const noTicket: Ticket = { status: 'none' };

export function evolve(ticket: Ticket, event: TicketEvent): Ticket {
  if (event.type === 'TicketCreated') {
    const { at, ...facts } = event.data;
    return { status: 'live', ...facts, createdAt: at, updatedAt: at };
  }
  if (ticket.status === 'none') throw new Error(`${event.type} before TicketCreated`);
  switch (event.type) {
    case 'TicketUpdated':
    case 'TicketMoved':
    case 'TicketBranchRecorded': {
      const { at, ...changed } = event.data;
      return { ...ticket, ...changed, updatedAt: at };
    }
    case 'TicketArchived':
      return { ...ticket, status: 'archived', updatedAt: event.data.at };
    case 'TicketRestored': {
      const { column, position, at } = event.data;
      return { ...ticket, status: 'live', column, position, updatedAt: at };
    }
    case 'TicketAssigned':
      return { ...ticket, assignees: event.data.assignees, updatedAt: event.data.at };
    case 'TicketCommented':
      return ticket;
    default:
      return unknownEvent(event);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown ticket event ${(event as { type: string }).type}`);
}
