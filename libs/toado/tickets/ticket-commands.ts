import type { Outcome } from '../../event-log/decide-and-append.ts';
import { DecideCommand, handlerOf } from '../../operation/decide-command.ts';
import { outcomeProblem } from '../../operation/outcome-problem.ts';
import { conflict, forbidden, invalid, notFound, type Problem } from '../../problem/problem.ts';
import type { TicketCommand } from './commands.ts';
import { MOST_ASSIGNEES, ticketDecider, type TicketRefusal } from './decide.ts';
import { type TicketEvent, ticketStream } from './events.ts';
import type { Ticket } from './ticket.ts';

export type TicketOutcome = Outcome<Ticket, TicketEvent, TicketRefusal>;

/** Any command to one ticket. */
export class DecideTicket extends DecideCommand<TicketCommand, Ticket, TicketEvent, TicketRefusal> {}

export const DecideTicketHandler = handlerOf(DecideTicket, ticketStream, ticketDecider);

/** What a caller hears when the command was not done. */
export const ticketProblem = (outcome: Exclude<TicketOutcome, { kind: 'done' }>): Problem =>
  outcomeProblem(outcome, refusalProblem);

function refusalProblem(refusal: TicketRefusal): Problem {
  switch (refusal.code) {
    case 'not_found':
      return notFound(`There is no such ${refusal.of} here.`);
    case 'forbidden':
      return forbidden(`This ${refusal.of} lies outside of what this token is restricted to.`);
    case 'exists':
      return conflict('This ticket exists already.');
    case 'archived':
      return conflict('This ticket is archived. Restore it first.');
    case 'project_archived':
      return conflict('This project is archived and takes no tickets.');
    case 'column_not_found':
      return invalid([{ field: 'column', message: 'is no column of this project' }]);
    case 'neighbour_not_found':
      return invalid([{ field: 'position', message: 'before or after names no other ticket of this column' }]);
    case 'moved_meanwhile':
      return conflict('This ticket was moved meanwhile.');
    case 'too_many_assignees':
      return invalid([{ field: 'assignees', message: `a ticket has ${MOST_ASSIGNEES} at most` }]);
    case 'no_member':
      return invalid([{ field: 'assignees', message: 'names somebody who is no member of this company' }]);
    default:
      return unknownRefusal(refusal);
  }
}

function unknownRefusal(refusal: never): never {
  throw new Error(`unknown refusal ${JSON.stringify(refusal)}`);
}
