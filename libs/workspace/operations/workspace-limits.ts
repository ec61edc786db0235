import { Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { EventLog } from '../../event-log/event-log.ts';
import type { HotView } from '../../hot-view/hot-view.ts';
import { EVENT_LOG, HOT_VIEW } from '../../injection-tokens.ts';
import { budgetsOf } from '../../operation/limit-input.ts';
import { type Call, DeclareOperation, FREE, type Operation, READ, type Result } from '../../operation/operation.ts';
import { outcomeProblem } from '../../operation/outcome-problem.ts';
import { LimitsInput, NoInput } from '../../tokens/operations/inputs.ts';
import { DecideWorkspace } from '../workspace-commands.ts';
import { readWorkspace, workspaceSchema } from '../workspace-record.ts';

@DeclareOperation({
  name: 'get_workspace_limits',
  title: 'Show the workspace’s limits',
  summary:
    'The workspace’s ceiling: the calls a minute of all its tokens together, and what is used of them; null: none.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: READ,
  http: { method: 'get', path: '/api/v1/admin/workspace/limits' },
  input: NoInput,
  output: workspaceSchema,
  effect: 'reads',
})
export class GetWorkspaceLimitsOperation implements Operation<NoInput> {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(HOT_VIEW) private readonly view: HotView,
  ) {}

  run(_input: NoInput, call: Call): Promise<Result> {
    return answer(this.log, this.view, call);
  }
}

/** Costs nothing: whoever lifts a ceiling may find it used up. */
@DeclareOperation({
  name: 'change_workspace_limits',
  title: 'Change the workspace’s limits',
  summary:
    'Sets the workspace’s ceiling: the calls a minute of all its tokens together, on top of each one’s own limit; null lifts it.',
  catalogue: 'writ',
  scope: 'writ/operate',
  cost: FREE,
  http: { method: 'patch', path: '/api/v1/admin/workspace/limits' },
  // A budget left out stays as it is; null lifts its ceiling.
  input: LimitsInput,
  output: workspaceSchema,
  effect: 'changes',
})
export class ChangeWorkspaceLimitsOperation implements Operation<LimitsInput> {
  constructor(
    private readonly commands: CommandBus,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(HOT_VIEW) private readonly view: HotView,
  ) {}

  async run(limits: LimitsInput, call: Call): Promise<Result> {
    const { workspace } = call.token;
    const at = new Date(call.nowMs).toISOString();
    const command = { type: 'ChangeCeiling', ceiling: budgetsOf(limits), at } as const;
    const outcome = await this.commands.execute(
      new DecideWorkspace(workspace, command, call.append(`workspace/${workspace}`)),
    );
    if (outcome.kind !== 'done') return outcomeProblem(outcome, (refusal: never) => refusal);
    const { position, repeated } = outcome;
    return { ...(await answer(this.log, this.view, call)), position: repeated ? null : position };
  }
}

async function answer(log: EventLog, view: HotView, { token, nowMs }: Call) {
  const usage = await view.ceilingUsage(token.workspace);
  const body = await readWorkspace(log, token.workspace, usage, nowMs);
  return { body, ...(body.version === null ? {} : { revision: body.version }) };
}
