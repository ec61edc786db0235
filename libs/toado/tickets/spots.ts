import { Inject, Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { load } from '../../event-log/decide-and-append.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import { newId } from '../../ids/new-id.ts';
import { EVENT_LOG } from '../../injection-tokens.ts';
import { AtHead } from '../../operation/at-head.ts';
import { inOrder, type Placement } from '../ordering.ts';
import { projectDecider } from '../projects/decide.ts';
import { projectStream } from '../projects/events.ts';
import { noProject, type Project } from '../projects/project.ts';
import type { Reach } from '../reach.ts';
import type { Spot } from './commands.ts';
import { ticketDecider } from './decide.ts';
import { ticketStream } from './events.ts';
import { FindGap } from './queries.ts';
import type { Ticket } from './ticket.ts';

/** What a decision about a ticket's place is given: the project from the log, the neighbours from the read model. */
@Injectable()
export class Spots {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    private readonly queries: QueryBus,
    private readonly atHead: AtHead,
  ) {}

  async ticket(id: string): Promise<Ticket> {
    return (await load(this.log, ticketStream(id), ticketDecider)).state;
  }

  async project(id: string | null): Promise<Project> {
    return id === null ? noProject : (await load(this.log, projectStream(id), projectDecider)).state;
  }

  /** In a column, or the project's first where none is named. Only their order depends on how fresh the read model is. */
  async find(
    project: Project,
    column: string | null,
    placement: Placement | { readonly behind: string },
    reach: Reach,
    moving: string | null = null,
  ): Promise<Spot> {
    const into = column ?? firstColumn(project);
    const spot = { project, column: into, scatter: newId() };
    if (into === null) return { ...spot, gap: null };
    // Behind a ticket just placed: that one's position is known, and nothing newer matters.
    if (typeof placement === 'string' || !('behind' in placement)) await this.atHead.of('toado');
    return { ...spot, gap: await this.queries.execute(new FindGap({ reach, column: into, placement, moving })) };
  }
}

function firstColumn(project: Project): string | null {
  if (project.status === 'none') return null;
  return [...project.columns.values()].toSorted(inOrder)[0]?.id ?? null;
}
