import { Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ANY_ROUTINES_WRITE } from '../../catalogue/catalogue.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import { EVENT_LOG } from '../../injection-tokens.ts';
import {
  type Call,
  DeclareOperation,
  type Operation,
  type OperationSpec,
  type Result,
  WRITE,
} from '../../operation/operation.ts';
import { attribute } from '../../person/attribution.ts';
import { conflict, isProblem, notFound } from '../../problem/problem.ts';
import { loadRoutine } from '../load-routine.ts';
import type { RunView } from '../queries.ts';
import { DecideRun, NO_ROUTINE, routineProblem } from '../routine-commands.ts';
import { RoutineDesk } from '../routine-desk.ts';
import type { RunOpened } from '../runs/events.ts';
import { routineSchema, runSchema } from '../schema.ts';
import { forOperators } from './admin.ts';
import { PauseRoutineInput, RoutineIdInput } from './inputs.ts';

const pause: OperationSpec<PauseRoutineInput> = {
  name: 'pause_routine',
  title: 'Pause a routine',
  summary: 'No run begins until it is resumed; a run under way stops before its next step.',
  catalogue: null,
  scope: ANY_ROUTINES_WRITE,
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/routines/:id/pause' },
  input: PauseRoutineInput,
  output: routineSchema,
  effect: 'changes',
  inRoutines: false,
  resource: ({ id }) => `routine/${id}`,
};

@DeclareOperation(pause)
export class PauseRoutineOperation implements Operation<PauseRoutineInput> {
  constructor(private readonly desk: RoutineDesk) {}

  async run({ id, note }: PauseRoutineInput, call: Call): Promise<Result> {
    const own = await this.desk.own(id, call);
    if (isProblem(own)) return own;
    const at = new Date(call.nowMs).toISOString();
    const command = { type: 'PauseRoutine', reason: 'by_hand', note: note ?? null, under: null, at } as const;
    return this.desk.decide(id, command, call);
  }
}

@DeclareOperation(forOperators(pause))
export class AdminPauseRoutineOperation extends PauseRoutineOperation {}

const resume: OperationSpec<RoutineIdInput> = {
  name: 'resume_routine',
  title: 'Resume a routine',
  summary:
    'Its schedule begins anew from now: what lay in between is not made up for. Refused while its token is not alive.',
  catalogue: null,
  scope: ANY_ROUTINES_WRITE,
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/routines/:id/resume' },
  input: RoutineIdInput,
  output: routineSchema,
  effect: 'changes',
  inRoutines: false,
  resource: ({ id }) => `routine/${id}`,
};

@DeclareOperation(resume)
export class ResumeRoutineOperation implements Operation<RoutineIdInput> {
  constructor(private readonly desk: RoutineDesk) {}

  async run({ id }: RoutineIdInput, call: Call): Promise<Result> {
    const steered = await this.desk.steered(id, call);
    if (isProblem(steered)) return steered;
    const command = {
      type: 'ResumeRoutine',
      firstSlotOf: (schedule) => this.desk.firstSlotOf(schedule),
      at: new Date(call.nowMs).toISOString(),
    } as const satisfies Parameters<RoutineDesk['decide']>[1];
    return this.desk.decide(id, command, call);
  }
}

@DeclareOperation(forOperators(resume))
export class AdminResumeRoutineOperation extends ResumeRoutineOperation {}

const runNow: OperationSpec<RoutineIdInput> = {
  name: 'run_routine',
  title: 'Run a routine now',
  summary: 'A run beside its schedule, begun within a second or two. Refused while it is paused.',
  catalogue: null,
  scope: ANY_ROUTINES_WRITE,
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/routines/:id/run', status: 202 },
  input: RoutineIdInput,
  output: runSchema,
  effect: 'adds',
  inRoutines: false,
  resource: ({ id }) => `routine/${id}`,
};

@DeclareOperation(runNow)
export class RunRoutineOperation implements Operation<RoutineIdInput> {
  constructor(
    private readonly desk: RoutineDesk,
    private readonly commands: CommandBus,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run({ id }: RoutineIdInput, call: Call): Promise<Result> {
    const steered = await this.desk.steered(id, call);
    if (isProblem(steered)) return steered;
    const { under } = steered;
    const standing = await loadRoutine(this.log, id);
    if (standing === null || standing.routine.status === 'deleted') return notFound(NO_ROUTINE);
    const { routine, revision } = standing;
    if (routine.status === 'paused') {
      return conflict(`This routine is paused (${routine.pause.reason}): resume it first.`);
    }
    const at = new Date(call.nowMs).toISOString();
    const opened: RunOpened['data'] = {
      id: call.newId(),
      routine: id,
      workspace: routine.workspace,
      // The token's, should the routine have been bound anew this instant.
      lineage: under.lineage,
      token: under.id,
      label: under.name,
      trigger: 'by_hand',
      slot: at,
      missed_since: null,
      epoch: routine.epoch,
      definition: revision,
      next_slot: null,
      at,
    };
    const context = call.append(`routine/${id}`);
    const outcome = await this.commands.execute(new DecideRun(opened.id, { type: 'OpenByHand', opened }, context));
    if (outcome.kind !== 'done') return routineProblem(outcome);
    if (outcome.state.status === 'none') throw new Error('an opened run has no state');
    const body = openedView(outcome.state.opened, call);
    return { body, position: outcome.repeated ? null : outcome.position };
  }
}

@DeclareOperation(forOperators(runNow))
export class AdminRunRoutineOperation extends RunRoutineOperation {}

/** A run as it is when it was asked for; under a repeated key, as it was then. */
const openedView = (
  { id, routine, trigger, slot, missed_since, token, label, at }: RunOpened['data'],
  { actor, nowMs }: Call,
): RunView => ({
  id,
  routine,
  trigger,
  slot,
  missed_since,
  status: 'waiting',
  reason: null,
  deferred: null,
  token: { id: token, label },
  steps_done: 0,
  by: attribute(actor, at, nowMs),
  opened_at: at,
  ended_at: null,
});

export const STEER_ROUTINES = [
  PauseRoutineOperation,
  ResumeRoutineOperation,
  RunRoutineOperation,
  AdminPauseRoutineOperation,
  AdminResumeRoutineOperation,
  AdminRunRoutineOperation,
];
