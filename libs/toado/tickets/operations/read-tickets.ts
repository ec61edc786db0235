import { QueryBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../../operation/operation.ts';
import { pageOfInput } from '../../../operation/page-input.ts';
import { pageSchema } from '../../../operation/schema.ts';
import { notFound } from '../../../problem/problem.ts';
import { reachOf } from '../../reach.ts';
import { TICKET_PREFIX } from '../events.ts';
import { GetTicket, ListTicketActivity, ListTicketComments, ListTickets } from '../queries.ts';
import { ticketActivitySchema, ticketCommentSchema, ticketSchema } from '../schema.ts';
import { ListOfTicketInput, ListTicketsInput, TicketIdInput } from './inputs.ts';

const NO_TICKET = 'There is no such ticket here.';

@DeclareOperation({
  name: 'list_tickets',
  title: 'List tickets',
  summary: 'The tickets this token can see, live or archived, newest first; those of one column in its order.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/tickets' },
  input: ListTicketsInput,
  output: pageSchema(ticketSchema),
  effect: 'reads',
  readsFrom: 'toado',
})
export class ListTicketsOperation implements Operation<ListTicketsInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: ListTicketsInput, { token, nowMs }: Call): Promise<Result> {
    const { company, project, column, assignee, branch, archived = false } = input;
    const filter = { company, project, column, assignee, branch, archived };
    const request = { reach: reachOf(token), ...filter, nowMs, ...pageOfInput(input) };
    return { body: await this.queries.execute(new ListTickets(request)) };
  }
}

@DeclareOperation({
  name: 'get_ticket',
  title: 'Read a ticket',
  summary: 'One ticket, with who wrote it last.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/tickets/:id' },
  input: TicketIdInput,
  output: ticketSchema,
  effect: 'reads',
  readsFrom: 'toado',
  resource: ({ id }) => `ticket/${id}`,
  mcpResource: { uriTemplate: 'toado://ticket/{id}', listedBy: 'list_tickets', streamPrefix: TICKET_PREFIX },
})
export class GetTicketOperation implements Operation<TicketIdInput> {
  constructor(private readonly queries: QueryBus) {}

  async run({ id }: TicketIdInput, { token, nowMs }: Call): Promise<Result> {
    const ticket = await this.queries.execute(new GetTicket({ reach: reachOf(token), id, nowMs }));
    return ticket === null ? notFound(NO_TICKET) : { body: ticket, revision: ticket.version };
  }
}

@DeclareOperation({
  name: 'list_ticket_comments',
  title: 'List a ticket’s comments',
  summary: 'The comments on a ticket, newest first.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/tickets/:id/comments' },
  input: ListOfTicketInput,
  output: pageSchema(ticketCommentSchema),
  effect: 'reads',
  readsFrom: 'toado',
  resource: ({ id }) => `ticket/${id}`,
})
export class ListTicketCommentsOperation implements Operation<ListOfTicketInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: ListOfTicketInput, { token, nowMs }: Call): Promise<Result> {
    const request = { reach: reachOf(token), ticket: input.id, nowMs, ...pageOfInput(input) };
    const page = await this.queries.execute(new ListTicketComments(request));
    return page === null ? notFound(NO_TICKET) : { body: page };
  }
}

@DeclareOperation({
  name: 'list_ticket_activity',
  title: 'List a ticket’s activity',
  summary: 'Every edit, move, assignment and comment of a ticket, each with who made it, newest first.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/tickets/:id/activity' },
  input: ListOfTicketInput,
  output: pageSchema(ticketActivitySchema),
  effect: 'reads',
  readsFrom: 'toado',
  resource: ({ id }) => `ticket/${id}`,
})
export class ListTicketActivityOperation implements Operation<ListOfTicketInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: ListOfTicketInput, { token, nowMs }: Call): Promise<Result> {
    const request = { reach: reachOf(token), ticket: input.id, nowMs, ...pageOfInput(input) };
    const page = await this.queries.execute(new ListTicketActivity(request));
    return page === null ? notFound(NO_TICKET) : { body: page };
  }
}
