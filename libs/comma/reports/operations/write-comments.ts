import { CommandBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../../operation/operation.ts';
import { attribute } from '../../../person/attribution.ts';
import { notFound } from '../../../problem/problem.ts';
import { FindComment } from '../find-comment.ts';
import type { CommentView } from '../queries.ts';
import { DecideReport, reportProblem, type ReportOutcome } from '../report-commands.ts';
import { commentSchema } from '../schema.ts';
import { CommentIdInput, WriteCommentInput } from './inputs.ts';

const NO_COMMENT = 'There is no such comment here.';

@DeclareOperation({
  name: 'add_comment',
  title: 'Comment on a report',
  summary: 'Adds a comment to a report.',
  catalogue: 'comma',
  scope: 'comma/comments:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/reports/:id/comments', status: 201 },
  input: WriteCommentInput,
  output: commentSchema,
  effect: 'adds',
  resource: ({ id }) => `report/${id}`,
})
export class AddCommentOperation implements Operation<WriteCommentInput> {
  constructor(private readonly commands: CommandBus) {}

  async run({ id, body }: WriteCommentInput, call: Call): Promise<Result> {
    const comment = call.newId();
    const at = new Date(call.nowMs).toISOString();
    const command = { type: 'AddComment', workspace: call.token.workspace, comment, body, at } as const;
    const outcome = await this.commands.execute(new DecideReport(id, command, call.append(`report/${id}`)));
    return written(outcome, { id: comment, body, parent: null, resolved: false, created_at: at }, call);
  }
}

@DeclareOperation({
  name: 'reply_to_comment',
  title: 'Reply to a comment',
  summary: 'Adds a reply to a comment.',
  catalogue: 'comma',
  scope: 'comma/comments:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/comments/:id/replies', status: 201 },
  input: WriteCommentInput,
  output: commentSchema,
  effect: 'adds',
  readsFrom: 'reports',
  resource: ({ id }) => `comment/${id}`,
})
export class ReplyToCommentOperation implements Operation<WriteCommentInput> {
  constructor(
    private readonly commands: CommandBus,
    private readonly comments: FindComment,
  ) {}

  async run({ id: parent, body }: WriteCommentInput, call: Call): Promise<Result> {
    const found = await this.comments.byId(parent, call);
    if (found === null) return notFound(NO_COMMENT);
    const comment = call.newId();
    const at = new Date(call.nowMs).toISOString();
    const command = { type: 'ReplyToComment', workspace: call.token.workspace, comment, parent, body, at } as const;
    const context = call.append(`comment/${parent}`);
    const outcome = await this.commands.execute(new DecideReport(found.report, command, context));
    return written(outcome, { id: comment, body, parent, resolved: false, created_at: at }, call);
  }
}

@DeclareOperation({
  name: 'resolve_comment',
  title: 'Resolve a comment',
  summary: 'Marks a comment as dealt with. Doing so twice changes nothing.',
  catalogue: 'comma',
  scope: 'comma/comments:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/comments/:id/resolve' },
  input: CommentIdInput,
  output: commentSchema,
  effect: 'changes',
  readsFrom: 'reports',
  resource: ({ id }) => `comment/${id}`,
})
export class ResolveCommentOperation implements Operation<CommentIdInput> {
  constructor(
    private readonly commands: CommandBus,
    private readonly comments: FindComment,
  ) {}

  async run({ id }: CommentIdInput, call: Call): Promise<Result> {
    const found = await this.comments.byId(id, call);
    if (found === null) return notFound(NO_COMMENT);
    const at = new Date(call.nowMs).toISOString();
    const command = { type: 'ResolveComment', workspace: call.token.workspace, comment: id, at } as const;
    const outcome = await this.commands.execute(new DecideReport(found.report, command, call.append(`comment/${id}`)));
    if (outcome.kind !== 'done') return reportProblem(outcome);
    const { body, parent, by, created_at } = found;
    const view: CommentView = { id, body, parent, resolved: true, by, created_at };
    return {
      body: view,
      revision: outcome.revision,
      position: outcome.repeated ? null : outcome.position,
    };
  }
}

function written(outcome: ReportOutcome, comment: Omit<CommentView, 'by'>, call: Call): Result {
  if (outcome.kind !== 'done') return reportProblem(outcome);
  // Under a repeated key the comment is the one made the first time, with its time.
  const [first] = outcome.events;
  const created_at = first?.data.at ?? comment.created_at;
  const view: CommentView = { ...comment, created_at, by: attribute(call.actor, created_at, call.nowMs) };
  return { body: view, revision: outcome.revision, position: outcome.repeated ? null : outcome.position };
}
