import { Inject } from '@nestjs/common';
import type { EventLog } from '../../../event-log/event-log.ts';
import { EVENT_LOG } from '../../../injection-tokens.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { isProblem } from '../../../problem/problem.ts';
import { findAssignable } from '../assignable.ts';
import { ticketSchema } from '../schema.ts';
import { AssigneesInput } from './inputs.ts';
import { askedBy, TicketAnswers } from './ticket-answers.ts';

@DeclareOperation({
  name: 'assign_ticket',
  title: 'Assign a ticket',
  summary: 'Assigns people to a ticket, besides those who are.',
  catalogue: 'toado',
  scope: 'toado/tickets:assign',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/tickets/:id/assign' },
  input: AssigneesInput,
  output: ticketSchema,
  effect: 'changes',
  resource: ({ id }) => `ticket/${id}`,
})
export class AssignTicketOperation implements Operation<AssigneesInput> {
  constructor(
    private readonly tickets: TicketAnswers,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run({ id, assignees }: AssigneesInput, call: Call): Promise<Result> {
    const assign = await findAssignable(this.log, call.token.workspace, assignees, 'assignees');
    if (isProblem(assign)) return assign;
    return this.tickets.decide(id, { type: 'AssignTicket', assign, unassign: [], ...askedBy(call) }, call);
  }
}

@DeclareOperation({
  name: 'unassign_ticket',
  title: 'Unassign a ticket',
  summary: 'Takes people off a ticket. Who is not assigned stays so.',
  catalogue: 'toado',
  scope: 'toado/tickets:assign',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/tickets/:id/unassign' },
  input: AssigneesInput,
  output: ticketSchema,
  effect: 'changes',
  resource: ({ id }) => `ticket/${id}`,
})
export class UnassignTicketOperation implements Operation<AssigneesInput> {
  constructor(private readonly tickets: TicketAnswers) {}

  run({ id, assignees }: AssigneesInput, call: Call): Promise<Result> {
    return this.tickets.decide(id, { type: 'AssignTicket', assign: [], unassign: assignees, ...askedBy(call) }, call);
  }
}
