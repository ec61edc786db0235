import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { decideAndAppend, type Outcome } from '../event-log/decide-and-append.ts';
import type { EventLog } from '../event-log/event-log.ts';
import type { HotView } from '../hot-view/hot-view.ts';
import { EVENT_LOG, HOT_VIEW } from '../injection-tokens.ts';
import { DecideCommand } from '../operation/decide-command.ts';
import { ceilingDecider, type ChangeCeiling } from './decide.ts';
import { type Ceiling, type WorkspaceEvent, workspaceStream } from './events.ts';
import { loadViewWorkspace } from './view-workspace.ts';

export type WorkspaceOutcome = Outcome<Ceiling, WorkspaceEvent, never>;

/** A command to one workspace. */
export class DecideWorkspace extends DecideCommand<ChangeCeiling, Ceiling, WorkspaceEvent, never> {}

/** Log first, then the view, then the answer: an answered ceiling is in force everywhere (P3). */
@CommandHandler(DecideWorkspace)
export class DecideWorkspaceHandler implements ICommandHandler<DecideWorkspace> {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(HOT_VIEW) private readonly view: HotView,
  ) {}

  async execute({ id, command, context }: DecideWorkspace): Promise<WorkspaceOutcome> {
    const outcome = await decideAndAppend(this.log, workspaceStream(id), ceilingDecider, command, context);
    if (outcome.kind !== 'done') return outcome;
    // Also when nothing was appended: a repeat after a failed view write must bring the view up to date.
    const workspace = await loadViewWorkspace(this.log, id);
    if (workspace !== null) await this.view.putWorkspaces([workspace]);
    return outcome;
  }
}
