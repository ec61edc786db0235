import { randomUUID } from 'node:crypto';
import { type AppendContext, decideAndAppend } from '../../event-log/decide-and-append.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import type { HotView, ViewToken } from '../../hot-view/hot-view.ts';
import type { DeclaredOperation } from '../../operation/operation.ts';
import type { Operations } from '../../operation/operations.ts';
import { isProblem, type Problem } from '../../problem/problem.ts';
import type { Definition } from '../events.ts';
import { canBeStep } from '../check-steps.ts';
import { newestOf } from '../live-token.ts';
import { loadRoutine } from '../load-routine.ts';
import { referencesTo, resolve, type RunFact, valueAt } from '../references.ts';
import { type RunCommand, runDecider } from '../runs/decide.ts';
import { type RunOpened, runStream, type StepResult } from '../runs/events.ts';
import type { EndedRun, OpenRun, Run } from '../runs/run.ts';
import { dayOf } from '../schedule.ts';
import type { RoutineFace } from './routine-face.ts';

export interface RunWorkerParts {
  readonly log: EventLog;
  readonly view: HotView;
  readonly operations: Operations;
  readonly face: RoutineFace;
  /** Unix ms. */
  readonly clock: () => number;
}

export const LEASE_MS = 60_000;
const MOST_DEFERRALS = 60;
const RETRY_UNAVAILABLE_MS = 5_000;
/** What one step may hand on to later ones, JSON. */
const MOST_KEPT_CHARACTERS = 256 * 1024;
const LONGEST_REASON = 500;

/** How a run that this worker had went on: it ended, waits, or was taken by another. */
export type Worked = { readonly run: Run; readonly position: number | null };

/** Does the steps of one run, each through the gate and each recorded before the next. */
export class RunWorker {
  constructor(
    readonly runner: string,
    private readonly parts: RunWorkerParts,
  ) {}

  /** Takes a slot, unless another has it. Null: another has. */
  claimSlot(opened: RunOpened['data'], under: ViewToken): Promise<Worked | null> {
    const leaseUntilMs = this.parts.clock() + LEASE_MS;
    return this.#append(opened.id, { type: 'ClaimSlot', opened, runner: this.runner, leaseUntilMs }, under);
  }

  /** Takes a run that waits or whose lease has ended. Null: another was quicker. */
  claimRun(id: string, under: ViewToken): Promise<Worked | null> {
    const nowMs = this.parts.clock();
    return this.#append(id, { type: 'ClaimRun', runner: this.runner, leaseUntilMs: nowMs + LEASE_MS, nowMs }, under);
  }

  /** Goes on with a claimed run until it ends, waits, or is another's. */
  async work(claimed: OpenRun, stopping: AbortSignal): Promise<Worked> {
    const { log } = this.parts;
    const { routine: id, definition: revision } = claimed.opened;
    const begun = await loadRoutine(log, id, revision);
    if (begun === null) throw new Error(`routine ${id} of run ${claimed.opened.id} is not there`);
    let worked: Worked = { run: claimed, position: null };
    while (worked.run.status === 'open' && worked.run.runner === this.runner) {
      const next = await this.#next(worked.run, begun.routine.definition, stopping);
      if (next === null) break;
      worked = next;
    }
    return worked;
  }

  async #next(run: OpenRun, definition: Definition, stopping: AbortSignal): Promise<Worked | null> {
    const { log, view } = this.parts;
    const under = await newestOf(view, run.opened.token);
    // A view that is being built: the lease runs out, and the run is taken up again.
    if (under === null) return null;
    const standing = await loadRoutine(log, run.opened.routine);
    if (standing === null || standing.routine.status === 'deleted') return this.#end(run, 'stopped', 'deleted', under);
    if (standing.routine.status === 'paused') {
      return this.#end(run, 'stopped', standing.routine.pause.reason, under);
    }
    const step = definition.steps[run.steps.length];
    if (step === undefined) return this.#end(run, 'succeeded', null, under);
    if (stopping.aborted) return this.#defer(run, 'handed_over', 0, null, under);
    const declared = this.parts.operations.named(step.operation);
    const input = resolve(step.input, new Map<string, unknown>([...facts(run, definition), ...run.kept]));
    if (declared === null || !canBeStep(declared.spec)) {
      return this.#fail(run, step.operation, 'is no operation for steps any more', under);
    }
    if (input.kind === 'unresolved') {
      return this.#fail(run, step.operation, `nothing is at ${input.text}`, under);
    }
    return this.#ask(run, definition, declared, input.input, under);
  }

  async #ask(
    run: OpenRun,
    definition: Definition,
    declared: DeclaredOperation,
    input: Readonly<Record<string, unknown>>,
    under: ViewToken,
  ): Promise<Worked | null> {
    const step = run.steps.length;
    const { id, routine } = run.opened;
    const logPosition = run.steps.reduce<number | null>((last, { position }) => position ?? last, null);
    const reply = await this.parts.face.call({ declared, under, input, routine, run: id, step, logPosition });
    const { result, requestId } = reply;
    if (isProblem(result)) return this.#refused(run, declared, result, requestId, under);
    const done: StepResult = {
      step,
      operation: declared.spec.name,
      decision: 'allowed',
      status: declared.spec.http.status ?? 200,
      request_id: requestId,
      position: result.position ?? (await this.#repeatedAt(declared)),
      reason: null,
      token: under.id,
      label: under.name,
    };
    const kept = keptOf(result.body, referencesTo(step, definition.steps));
    if (JSON.stringify(kept).length <= MOST_KEPT_CHARACTERS) return this.#record(run, done, kept, under);
    const recorded = await this.#record(run, done, {}, under);
    if (recorded?.run.status !== 'open') return recorded;
    return this.#end(
      recorded.run,
      'failed',
      `step ${step} hands on more than ${MOST_KEPT_CHARACTERS} characters`,
      under,
    );
  }

  /** A write done before a crash was stored then, at a position that is not told again: the head is not before it. */
  async #repeatedAt({ spec }: DeclaredOperation): Promise<number | null> {
    return spec.effect === 'reads' ? null : await this.parts.log.head();
  }

  async #refused(
    run: OpenRun,
    { spec }: DeclaredOperation,
    problem: Problem,
    requestId: string,
    under: ViewToken,
  ): Promise<Worked | null> {
    const passing = problem.status === 429 ? 'throttled' : problem.status === 503 ? 'unavailable' : null;
    if (passing !== null && run.deferrals < MOST_DEFERRALS) {
      const waitMs = Math.max(1, problem.retry_after ?? 0) * 1000;
      const deferMs = passing === 'throttled' ? waitMs : Math.max(waitMs, RETRY_UNAVAILABLE_MS);
      return this.#defer(run, passing, deferMs, requestId, under);
    }
    const refused: StepResult = {
      step: run.steps.length,
      operation: spec.name,
      decision: 'refused',
      status: problem.status,
      request_id: requestId,
      position: null,
      reason: problem.detail.slice(0, LONGEST_REASON),
      token: under.id,
      label: under.name,
    };
    return this.#recordLast(run, refused, under);
  }

  #fail(run: OpenRun, operation: string, reason: string, under: ViewToken): Promise<Worked | null> {
    const nobody = { status: null, request_id: null, position: null, token: under.id, label: under.name };
    const step = run.steps.length;
    return this.#recordLast(run, { step, operation, decision: 'refused', reason, ...nobody }, under);
  }

  /** A step that failed ends the run: those after it may build on it. */
  async #recordLast(run: OpenRun, result: StepResult, under: ViewToken): Promise<Worked | null> {
    const recorded = await this.#record(run, result, {}, under);
    if (recorded?.run.status !== 'open') return recorded;
    const reason = `step ${result.step} (${result.operation}): ${result.reason ?? ''}`;
    return this.#end(recorded.run, result.status === 401 ? 'stopped' : 'failed', reason, under);
  }

  #record(run: OpenRun, result: StepResult, kept: Readonly<Record<string, unknown>>, under: ViewToken) {
    const nowMs = this.parts.clock();
    const lease = { leaseUntilMs: nowMs + LEASE_MS, nowMs };
    return this.#append(run.opened.id, { type: 'RecordStep', runner: this.runner, result, kept, ...lease }, under);
  }

  #defer(
    run: OpenRun,
    reason: 'throttled' | 'unavailable' | 'handed_over',
    waitMs: number,
    requestId: string | null,
    under: ViewToken,
  ): Promise<Worked | null> {
    const nowMs = this.parts.clock();
    const retryAfterSeconds = reason === 'handed_over' ? null : Math.ceil(waitMs / 1000);
    const when = { untilMs: nowMs + waitMs, nowMs };
    const step = run.steps.length;
    const { runner } = this;
    const command = { type: 'DeferStep', runner, step, reason, retryAfterSeconds, requestId, ...when } as const;
    return this.#append(run.opened.id, command, under);
  }

  #end(run: OpenRun, outcome: EndedRun['outcome'], reason: string | null, under: ViewToken): Promise<Worked | null> {
    const nowMs = this.parts.clock();
    return this.#append(run.opened.id, { type: 'EndRun', runner: this.runner, outcome, reason, nowMs }, under);
  }

  /** Null: the run is another's by now. */
  async #append(id: string, command: RunCommand, under: ViewToken): Promise<Worked | null> {
    const outcome = await decideAndAppend(this.parts.log, runStream(id), runDecider, command, contextOf(id, under));
    return outcome.kind === 'done' ? { run: outcome.state, position: outcome.position } : null;
  }
}

/** What the server does for a routine, it does in the name of the token. */
export const contextOf = (
  causation: string,
  { owner, id, name }: Pick<ViewToken, 'owner' | 'id' | 'name'>,
): AppendContext => ({
  eventId: () => randomUUID(),
  metadata: {
    $correlationId: causation,
    $causationId: causation,
    schema: 1,
    actor: { person: owner, token: id, label: name, face: 'routine' },
  },
});

function facts({ opened }: OpenRun, { name, schedule }: Definition): ReadonlyMap<RunFact, string> {
  return new Map<RunFact, string>([
    ['run.id', opened.id],
    ['run.slot', opened.slot],
    ['run.day', dayOf(schedule, Date.parse(opened.slot))],
    ['routine.id', opened.routine],
    ['routine.name', name],
  ]);
}

function keptOf(body: unknown, references: ReturnType<typeof referencesTo>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const { text, path } of references) {
    const value = valueAt(body, path);
    if (value !== undefined) kept[text] = value;
  }
  return kept;
}
