import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Call, Result } from '../../../operation/operation.ts';
import { attribute } from '../../../person/attribution.ts';
import { reachOf } from '../../reach.ts';
import type { TicketCommand } from '../commands.ts';
import type { TicketView } from '../queries.ts';
import { DecideTicket, ticketProblem } from '../ticket-commands.ts';
import type { Ticket } from '../ticket.ts';

/** Does a command to a ticket, and answers with the ticket as it is then. */
@Injectable()
export class TicketAnswers {
  constructor(private readonly commands: CommandBus) {}

  async decide(id: string, command: TicketCommand, call: Call): Promise<Result> {
    const outcome = await this.commands.execute(new DecideTicket(id, command, call.append(`ticket/${id}`)));
    if (outcome.kind !== 'done') return ticketProblem(outcome);
    const { state, revision, position, repeated } = outcome;
    // What the key did before was recorded then; this call is a use of its own, for the journal.
    return { body: ticketView(state, revision, call), revision, position: repeated ? null : position };
  }
}

/** What every command says of who asks, and when. */
export const askedBy = ({ token, nowMs }: Call) => ({ reach: reachOf(token), at: new Date(nowMs).toISOString() });

function ticketView(ticket: Ticket, version: number, call: Call): TicketView {
  if (ticket.status === 'none') throw new Error('a written ticket has no state');
  return {
    id: ticket.id,
    project: ticket.project,
    company: ticket.company,
    column: ticket.column,
    position: ticket.position,
    title: ticket.title,
    body: ticket.body,
    archived: ticket.status === 'archived',
    branch: ticket.branch,
    assignees: ticket.assignees,
    by: attribute(call.actor, ticket.updatedAt, call.nowMs),
    version,
    created_at: ticket.createdAt,
    updated_at: ticket.updatedAt,
  };
}
