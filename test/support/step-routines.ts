import { type Decision, decided } from './decision.ts';
import { eventually, type RunBody } from './routines.ts';
import type { Answer, Body, TestServer } from './server.ts';

/** Whose routines they are. */
export interface Caller {
  readonly id: string;
  readonly token: string;
  readonly scopes: readonly string[];
}

/** A routine of one step, and who steers it: the token it runs under where that may, else an operator. */
export interface StepRoutine {
  readonly operation: string;
  readonly path: string;
  readonly by: string;
}

export interface StepRun extends StepRoutine {
  readonly run: string;
}

const OWN = '/api/v1/routines';
const OPERATORS = '/api/v1/admin/routines';

/** Routines of one step, made, run and read over REST as whoever uses them does. */
export class StepRoutines {
  /** @param operator the token of somebody who could hand over every caller */
  constructor(
    private readonly server: TestServer,
    private readonly operator: string,
  ) {}

  /** What is heard of saying it: of a routine bound to a token, or else of one that runs under the caller's own. */
  define(operation: string, input: object, by: string | null, boundTo?: string): Promise<Answer> {
    const steps = [{ operation, input }];
    const definition = { name: operation, schedule: { cron: '@yearly', time_zone: 'UTC' }, steps };
    const [path, body] = boundTo === undefined ? [OWN, definition] : [OPERATORS, { ...definition, token: boundTo }];
    return this.server.call('POST', path, { token: by, body });
  }

  /** By the caller itself where its scopes allow it, else by the operator. */
  make(operation: string, input: object, caller: Caller): Promise<StepRoutine> {
    if (caller.scopes.includes('routines:write')) return this.#made(OWN, operation, input, caller.token);
    if (caller.scopes.includes('operate')) return this.#made(OPERATORS, operation, input, caller.token, caller.id);
    return this.bind(operation, input, caller);
  }

  /** By the operator, whatever the caller may do itself. */
  bind(operation: string, input: object, { id }: Caller): Promise<StepRoutine> {
    return this.#made(OPERATORS, operation, input, this.operator, id);
  }

  async #made(path: string, operation: string, input: object, by: string, boundTo?: string): Promise<StepRoutine> {
    const made = await this.define(operation, input, by, boundTo);
    if (made.status !== 201) throw new Error(`no routine of ${operation}: ${JSON.stringify(made.body)}`);
    return { operation, path: `${path}/${String(made.body['id'])}`, by };
  }

  runNow({ path, by }: StepRoutine): Promise<Answer> {
    return this.server.call('POST', `${path}/run`, { token: by });
  }

  async run(routine: StepRoutine): Promise<StepRun> {
    const { status, body } = await this.runNow(routine);
    if (status !== 202) throw new Error(`no run of ${routine.operation}: ${JSON.stringify(body)}`);
    return { ...routine, run: String(body['id']) };
  }

  /** Why it is paused; null: it is not. */
  async pause({ path, by }: StepRoutine): Promise<Body | null> {
    return (await this.server.call('GET', path, { token: by })).body['pause'] as Body | null;
  }

  /** The run once it is one of these, as its history tells. */
  history({ path, by, run }: StepRun, ...statuses: readonly string[]): Promise<RunBody> {
    return eventually(async () => {
      const { status, body } = await this.server.call('GET', `${path}/runs/${run}`, { token: by });
      if (status !== 200) throw new Error(`no history of ${path}: ${JSON.stringify(body)}`);
      return statuses.includes(String(body['status'])) && (body as RunBody);
    });
  }

  /** What the gate said to the step. */
  async decision(run: StepRun): Promise<Decision> {
    const { steps } = await this.history(run, 'succeeded', 'failed', 'stopped');
    const [step] = steps;
    if (steps.length !== 1 || step === undefined) throw new Error(`${run.operation} was not asked for`);
    const missing = /lacks the scope (\S+)\.$/.exec(String(step['reason']))?.[1];
    return decided(Number(step['status']), { missing_scope: missing });
  }
}
