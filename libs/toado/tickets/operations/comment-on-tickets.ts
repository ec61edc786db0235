import { CommandBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { attribute } from '../../../person/attribution.ts';
import type { TicketCommentView } from '../queries.ts';
import { ticketCommentSchema } from '../schema.ts';
import { DecideTicket, ticketProblem } from '../ticket-commands.ts';
import { CommentOnTicketInput } from './inputs.ts';
import { askedBy } from './ticket-answers.ts';

@DeclareOperation({
  name: 'create_comment',
  title: 'Comment on a ticket',
  summary: 'Posts a comment on a ticket.',
  catalogue: 'toado',
  scope: 'toado/comments',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/tickets/:id/comments', status: 201 },
  input: CommentOnTicketInput,
  output: ticketCommentSchema,
  effect: 'adds',
  resource: ({ id }) => `ticket/${id}`,
})
export class CreateCommentOperation implements Operation<CommentOnTicketInput> {
  constructor(private readonly commands: CommandBus) {}

  async run({ id, body }: CommentOnTicketInput, call: Call): Promise<Result> {
    const comment = call.newId();
    const asked = askedBy(call);
    const command = { type: 'CommentTicket', comment, body, ...asked } as const;
    const outcome = await this.commands.execute(new DecideTicket(id, command, call.append(`ticket/${id}`)));
    if (outcome.kind !== 'done') return ticketProblem(outcome);
    // Under a repeated key the comment is the one made the first time, with its time.
    const created_at = outcome.events[0]?.data.at ?? asked.at;
    const by = attribute(call.actor, created_at, call.nowMs);
    const view: TicketCommentView = { id: comment, ticket: id, body, by, created_at };
    return { body: view, revision: outcome.revision, position: outcome.repeated ? null : outcome.position };
  }
}
