import { Inject } from '@nestjs/common';
import type { EventLog } from '../../../event-log/event-log.ts';
import { EVENT_LOG } from '../../../injection-tokens.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { isProblem, missingScope } from '../../../problem/problem.ts';
import { placementOf } from '../../placement-input.ts';
import { findAssignable } from '../assignable.ts';
import { ticketSchema } from '../schema.ts';
import { Spots } from '../spots.ts';
import { CreateTicketInput, RecordBranchInput, TicketIdInput, UpdateTicketInput } from './inputs.ts';
import { askedBy, TicketAnswers } from './ticket-answers.ts';

/** Assigning is no edit: who may edit needs this besides (DESIGN §4). */
const mayAssign = ({ token }: Call): boolean => token.grants.includes('toado/tickets:assign');

@DeclareOperation({
  name: 'create_ticket',
  title: 'Create a ticket',
  summary: 'Creates a ticket in a column of a project. Assigning somebody at once needs tickets:assign besides.',
  catalogue: 'toado',
  scope: 'toado/tickets:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/tickets', status: 201 },
  input: CreateTicketInput,
  output: ticketSchema,
  effect: 'adds',
})
export class CreateTicketOperation implements Operation<CreateTicketInput> {
  constructor(
    private readonly tickets: TicketAnswers,
    private readonly spots: Spots,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run(input: CreateTicketInput, call: Call): Promise<Result> {
    const { project, column = null, title, body = '', branch = null, assignees } = input;
    if (assignees !== undefined && !mayAssign(call)) return missingScope('tickets:assign');
    const placed = placementOf(input);
    if ('problem' in placed) return placed.problem;
    const people = await findAssignable(this.log, call.token.workspace, assignees ?? [], 'assignees');
    if (isProblem(people)) return people;
    const asked = askedBy(call);
    const spot = await this.spots.find(await this.spots.project(project), column, placed.placement, asked.reach);
    const id = call.newId();
    const command = { type: 'CreateTicket', id, spot, title, body, branch, assignees: people, ...asked } as const;
    return this.tickets.decide(id, command, call);
  }
}

@DeclareOperation({
  name: 'update_ticket',
  title: 'Update a ticket',
  summary:
    'Changes title or body; assignees, too, with tickets:assign. With If-Match only if nobody else has changed it.',
  catalogue: 'toado',
  scope: 'toado/tickets:write',
  cost: WRITE,
  http: { method: 'patch', path: '/api/v1/tickets/:id' },
  input: UpdateTicketInput,
  output: ticketSchema,
  effect: 'changes',
  resource: ({ id }) => `ticket/${id}`,
})
export class UpdateTicketOperation implements Operation<UpdateTicketInput> {
  constructor(
    private readonly tickets: TicketAnswers,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run({ id, title, body, assignees }: UpdateTicketInput, call: Call): Promise<Result> {
    if (assignees !== undefined && !mayAssign(call)) return missingScope('tickets:assign');
    const people =
      assignees === undefined
        ? undefined
        : await findAssignable(this.log, call.token.workspace, assignees, 'assignees');
    if (people !== undefined && isProblem(people)) return people;
    const changes = {
      ...(title !== undefined && { title }),
      ...(body !== undefined && { body }),
      ...(people !== undefined && { assignees: people }),
    };
    return this.tickets.decide(id, { type: 'UpdateTicket', ...changes, ...askedBy(call) }, call);
  }
}

@DeclareOperation({
  name: 'archive_ticket',
  title: 'Archive a ticket',
  summary: 'Files a ticket away. It changes no more until it is restored; doing so twice changes nothing.',
  catalogue: 'toado',
  scope: 'toado/tickets:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/tickets/:id/archive' },
  input: TicketIdInput,
  output: ticketSchema,
  effect: 'changes',
  resource: ({ id }) => `ticket/${id}`,
})
export class ArchiveTicketOperation implements Operation<TicketIdInput> {
  constructor(private readonly tickets: TicketAnswers) {}

  run({ id }: TicketIdInput, call: Call): Promise<Result> {
    return this.tickets.decide(id, { type: 'ArchiveTicket', ...askedBy(call) }, call);
  }
}

@DeclareOperation({
  name: 'record_branch',
  title: 'Record a ticket’s git branch',
  summary: 'Records the git branch a ticket is worked on in, or that there is none any more.',
  catalogue: 'toado',
  scope: 'toado/tickets:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/tickets/:id/branch' },
  input: RecordBranchInput,
  output: ticketSchema,
  effect: 'changes',
  resource: ({ id }) => `ticket/${id}`,
})
export class RecordBranchOperation implements Operation<RecordBranchInput> {
  constructor(private readonly tickets: TicketAnswers) {}

  run({ id, branch }: RecordBranchInput, call: Call): Promise<Result> {
    return this.tickets.decide(id, { type: 'RecordBranch', branch, ...askedBy(call) }, call);
  }
}
