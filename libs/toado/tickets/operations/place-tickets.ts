import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { placementOf } from '../../placement-input.ts';
import { ticketSchema } from '../schema.ts';
import { Spots } from '../spots.ts';
import { MoveTicketInput, TicketIdInput } from './inputs.ts';
import { askedBy, TicketAnswers } from './ticket-answers.ts';

@DeclareOperation({
  name: 'move_ticket',
  title: 'Move a ticket',
  summary: 'Puts a ticket at the top or bottom of a column, or beside another ticket there; in another project, too.',
  catalogue: 'toado',
  scope: 'toado/tickets:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/tickets/:id/move' },
  input: MoveTicketInput,
  output: ticketSchema,
  effect: 'changes',
  resource: ({ id }) => `ticket/${id}`,
})
export class MoveTicketOperation implements Operation<MoveTicketInput> {
  constructor(
    private readonly tickets: TicketAnswers,
    private readonly spots: Spots,
  ) {}

  async run({ id, project, column, ...given }: MoveTicketInput, call: Call): Promise<Result> {
    const placed = placementOf(given);
    if ('problem' in placed) return placed.problem;
    const asked = askedBy(call);
    const ticket = await this.spots.ticket(id);
    const own = ticket.status === 'none' ? null : ticket;
    const stays = project === undefined || project === own?.project;
    const into = column ?? (stays ? (own?.column ?? null) : null);
    const to = await this.spots.project(project ?? own?.project ?? null);
    const spot = await this.spots.find(to, into, placed.placement, asked.reach, id);
    return this.tickets.decide(id, { type: 'MoveTicket', spot, ...asked }, call);
  }
}

@DeclareOperation({
  name: 'restore_ticket',
  title: 'Restore a ticket',
  summary: 'Brings an archived ticket back to its place; where its column is gone, to the bottom of the first.',
  catalogue: 'toado',
  scope: 'toado/tickets:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/tickets/:id/restore' },
  input: TicketIdInput,
  output: ticketSchema,
  effect: 'changes',
  resource: ({ id }) => `ticket/${id}`,
})
export class RestoreTicketOperation implements Operation<TicketIdInput> {
  constructor(
    private readonly tickets: TicketAnswers,
    private readonly spots: Spots,
  ) {}

  async run({ id }: TicketIdInput, call: Call): Promise<Result> {
    const asked = askedBy(call);
    const ticket = await this.spots.ticket(id);
    const project = await this.spots.project(ticket.status === 'none' ? null : ticket.project);
    const spot = await this.spots.find(project, null, 'last', asked.reach, id);
    return this.tickets.decide(id, { type: 'RestoreTicket', spot, ...asked }, call);
  }
}
