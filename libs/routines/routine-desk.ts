import { Inject, Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Catalogues } from '../catalogue/catalogue.ts';
import type { EventLog } from '../event-log/event-log.ts';
import type { HotView, ViewToken } from '../hot-view/hot-view.ts';
import { CATALOGUES, CLOCK, EVENT_LOG, HOT_VIEW } from '../injection-tokens.ts';
import type { Call, Result } from '../operation/operation.ts';
import { Operations } from '../operation/operations.ts';
import { attribute } from '../person/attribution.ts';
import { conflict, type FieldError, forbidden, isProblem, notFound, type Problem } from '../problem/problem.ts';
import { lineageKey } from '../tokens/token-id.ts';
import { stepMistakes } from './check-steps.ts';
import type { RoutineCommand } from './decide.ts';
import type { Schedule, Step } from './events.ts';
import { deathOf, newestOf } from './live-token.ts';
import { loadRoutine, type StandingRoutine } from './load-routine.ts';
import type { RoutineView } from './queries.ts';
import { reachOf, steeringMistake } from './reach.ts';
import type { LiveRoutine } from './routine.ts';
import { DecideRoutine, NO_ROUTINE, routineProblem } from './routine-commands.ts';
import { nextSlot, scheduleMistake } from './schedule.ts';

/** What the operations that write share: whose routine it is, who may say what it does, and the answer. */
@Injectable()
export class RoutineDesk {
  constructor(
    private readonly commands: CommandBus,
    private readonly operations: Operations,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(HOT_VIEW) private readonly view: HotView,
    @Inject(CATALOGUES) private readonly catalogues: Catalogues,
    @Inject(CLOCK) private readonly clock: () => number,
  ) {}

  /** The routine, where it is the caller's to stop: an operator's within the workspace, else its own lineage's. */
  async own(id: string, { token }: Call): Promise<LiveRoutine | Problem> {
    const reach = reachOf(token);
    const found = (await loadRoutine(this.log, id))?.routine ?? null;
    const mine = found !== null && (reach.catalogue === null || lineageKey(found.lineage) === lineageKey(token.id));
    // A restricted token hears the same of what is another's and of what is not there (P8).
    if (!mine && reach.lineage !== null) return forbidden('This routine is none of this token’s.');
    if (found === null || found.status === 'deleted' || found.workspace !== reach.workspace)
      return notFound(NO_ROUTINE);
    if (reach.catalogue !== null && found.catalogue !== reach.catalogue) return notFound(NO_ROUTINE);
    return mine ? found : forbidden('This routine runs under another token.');
  }

  /** The routine and the token it runs under now, where the caller may say what is done under that (P13). */
  async steered(
    id: string,
    call: Call,
  ): Promise<{ readonly routine: LiveRoutine; readonly under: ViewToken } | Problem> {
    const routine = await this.own(id, call);
    if (isProblem(routine)) return routine;
    const under = await this.under(routine.token, call);
    return isProblem(under) ? under : { routine, under };
  }

  /** The live token of a lineage that the caller may act under. */
  async under(token: string, { token: caller, nowMs }: Call): Promise<ViewToken | Problem> {
    const under = await newestOf(this.view, token);
    if (under === null || under.workspace !== caller.workspace) return notFound('There is no such token here.');
    const catalogue = this.catalogues.named(under.catalogue);
    if (catalogue === null) return conflict(`The catalogue ${under.catalogue} is not loaded.`);
    const mistake = steeringMistake(caller, under, catalogue);
    if (mistake !== null) return forbidden(mistake);
    const death = deathOf(under, nowMs);
    return death === null ? under : conflict(`The token it runs under is not alive (${death}).`, under.id);
  }

  mistakes(schedule: Schedule | undefined, steps: readonly Step[] | undefined, catalogue: string) {
    const errors: FieldError[] = [];
    const wrong = schedule === undefined ? null : scheduleMistake(schedule, this.clock());
    if (wrong !== null) errors.push({ field: `schedule.${wrong.field}`, message: wrong.message });
    if (steps !== undefined) {
      errors.push(...stepMistakes(steps, catalogue, (name) => this.operations.named(name)?.spec));
    }
    return errors;
  }

  /** First slot of a schedule that begins now, by the clock the runner looks at; it is checked to have one. */
  firstSlotOf(schedule: Schedule): string {
    const first = nextSlot(schedule, this.clock());
    if (first === null) throw new Error(`${schedule.cron} never fires`);
    return new Date(first).toISOString();
  }

  async decide(id: string, command: RoutineCommand, call: Call): Promise<Result> {
    const outcome = await this.commands.execute(new DecideRoutine(id, command, call.append(`routine/${id}`)));
    if (outcome.kind !== 'done') return routineProblem(outcome);
    const { revision, position, repeated } = outcome;
    const standing = await loadRoutine(this.log, id, revision);
    if (standing === null) throw new Error('a written routine has no state');
    return { body: routineView(standing, call.nowMs), revision, position: repeated ? null : position };
  }
}

function routineView({ routine, writer, revision }: StandingRoutine, nowMs: number): RoutineView {
  const next = routine.status === 'active' ? nextSlot(routine.definition.schedule, nowMs) : null;
  return {
    id: routine.id,
    ...routine.definition,
    status: routine.status,
    pause: routine.status === 'paused' ? routine.pause : null,
    catalogue: routine.catalogue,
    lineage: routine.lineage,
    next_run_at: next === null ? null : new Date(next).toISOString(),
    version: revision,
    by: attribute(writer, routine.updatedAt, nowMs),
    created_at: routine.createdAt,
    updated_at: routine.updatedAt,
  };
}
