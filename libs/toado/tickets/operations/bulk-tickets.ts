import { Inject } from '@nestjs/common';
import type { EventLog } from '../../../event-log/event-log.ts';
import { EVENT_LOG } from '../../../injection-tokens.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { invalid, isProblem } from '../../../problem/problem.ts';
import { placementOf } from '../../placement-input.ts';
import { findAssignable } from '../assignable.ts';
import { Spots } from '../spots.ts';
import { BulkAnswers, bulkSchema } from './bulk-answers.ts';
import { BulkAssignInput, BulkMoveInput } from './bulk-inputs.ts';
import { askedBy } from './ticket-answers.ts';

@DeclareOperation({
  name: 'bulk_move_tickets',
  title: 'Move tickets',
  summary:
    'Moves up to 50 tickets to one place, in the order given, one by one inside the write budget; says of each what happened.',
  catalogue: 'toado',
  scope: 'toado/tickets:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/tickets/bulk-move' },
  input: BulkMoveInput,
  output: bulkSchema,
  effect: 'changes',
})
export class BulkMoveTicketsOperation implements Operation<BulkMoveInput> {
  constructor(
    private readonly bulk: BulkAnswers,
    private readonly spots: Spots,
  ) {}

  async run({ tickets, project, column, ...given }: BulkMoveInput, call: Call): Promise<Result> {
    const placed = placementOf(given);
    if ('problem' in placed) return placed.problem;
    const beside = given.before ?? given.after;
    if (beside !== undefined && tickets.includes(beside)) {
      return invalid([{ field: 'position', message: 'before or after names a ticket that is to be moved itself' }]);
    }
    return this.bulk.each(tickets, call, async (ticket, item, previous) => {
      const asked = askedBy(item);
      // The first goes where it was asked for, each other one right behind the one before it.
      const placement = previous.status === 'none' ? placed.placement : { behind: previous.position };
      const spot = await this.spots.find(
        await this.spots.project(project),
        column ?? null,
        placement,
        asked.reach,
        ticket,
      );
      return { type: 'MoveTicket', spot, ...asked };
    });
  }
}

@DeclareOperation({
  name: 'bulk_assign_tickets',
  title: 'Assign tickets',
  summary:
    'Assigns and unassigns people on up to 50 tickets, one by one inside the write budget; says of each what happened.',
  catalogue: 'toado',
  scope: 'toado/tickets:assign',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/tickets/bulk-assign' },
  input: BulkAssignInput,
  output: bulkSchema,
  effect: 'changes',
})
export class BulkAssignTicketsOperation implements Operation<BulkAssignInput> {
  constructor(
    private readonly bulk: BulkAnswers,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run({ tickets, assign = [], unassign = [] }: BulkAssignInput, call: Call): Promise<Result> {
    if (assign.length + unassign.length === 0) {
      return invalid([{ field: 'assign', message: 'name somebody to assign or unassign' }]);
    }
    if (assign.some((id) => unassign.includes(id))) {
      return invalid([{ field: 'unassign', message: 'names somebody who is to be assigned, too' }]);
    }
    const people = await findAssignable(this.log, call.token.workspace, assign, 'assign');
    if (isProblem(people)) return people;
    return this.bulk.each(tickets, call, (_, item) =>
      Promise.resolve({ type: 'AssignTicket', assign: people, unassign, ...askedBy(item) }),
    );
  }
}
