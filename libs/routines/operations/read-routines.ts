import { QueryBus } from '@nestjs/cqrs';
import { ANY_ROUTINES_WRITE } from '../../catalogue/catalogue.ts';
import { AtHead } from '../../operation/at-head.ts';
import {
  type Call,
  DeclareOperation,
  type Operation,
  type OperationSpec,
  READ,
  type Result,
} from '../../operation/operation.ts';
import { pageOfInput } from '../../operation/page-input.ts';
import { pageSchema } from '../../operation/schema.ts';
import { notFound } from '../../problem/problem.ts';
import { GetRoutine, GetRun, ListRoutines, ListRuns } from '../queries.ts';
import { reachOf } from '../reach.ts';
import { NO_ROUTINE } from '../routine-commands.ts';
import { routineSchema, runDetailSchema, runSchema } from '../schema.ts';
import { forOperators } from './admin.ts';
import { ListRoutinesInput, ListRunsInput, RoutineIdInput, RunIdInput } from './inputs.ts';

const list: OperationSpec<ListRoutinesInput> = {
  name: 'list_routines',
  title: 'List routines',
  summary: 'The routines of the product in the workspace, newest first, with when each runs next.',
  catalogue: null,
  scope: ANY_ROUTINES_WRITE,
  cost: READ,
  http: { method: 'get', path: '/api/v1/routines' },
  input: ListRoutinesInput,
  output: pageSchema(routineSchema),
  effect: 'reads',
  inRoutines: false,
  readsFrom: 'routines',
};

@DeclareOperation(list)
export class ListRoutinesOperation implements Operation<ListRoutinesInput> {
  constructor(
    private readonly queries: QueryBus,
    private readonly atHead: AtHead,
  ) {}

  async run(input: ListRoutinesInput, { token, nowMs }: Call): Promise<Result> {
    await this.atHead.of('routines');
    const request = { reach: reachOf(token), status: input.status, nowMs, ...pageOfInput(input) };
    return { body: await this.queries.execute(new ListRoutines(request)) };
  }
}

@DeclareOperation(forOperators(list, { summary: 'The routines of the workspace, newest first.' }))
export class AdminListRoutinesOperation extends ListRoutinesOperation {}

const get: OperationSpec<RoutineIdInput> = {
  name: 'get_routine',
  title: 'Read a routine',
  summary: 'One routine: its schedule, its steps, whether it is paused and why.',
  catalogue: null,
  scope: ANY_ROUTINES_WRITE,
  cost: READ,
  http: { method: 'get', path: '/api/v1/routines/:id' },
  input: RoutineIdInput,
  output: routineSchema,
  effect: 'reads',
  inRoutines: false,
  readsFrom: 'routines',
  resource: ({ id }) => `routine/${id}`,
};

@DeclareOperation(get)
export class GetRoutineOperation implements Operation<RoutineIdInput> {
  constructor(
    private readonly queries: QueryBus,
    private readonly atHead: AtHead,
  ) {}

  async run({ id }: RoutineIdInput, { token, nowMs }: Call): Promise<Result> {
    await this.atHead.of('routines');
    const routine = await this.queries.execute(new GetRoutine({ reach: reachOf(token), id, nowMs }));
    return routine === null ? notFound(NO_ROUTINE) : { body: routine, revision: routine.version };
  }
}

@DeclareOperation(forOperators(get))
export class AdminGetRoutineOperation extends GetRoutineOperation {}

const listRuns: OperationSpec<ListRunsInput> = {
  name: 'list_routine_runs',
  title: 'List a routine’s runs',
  summary: 'Newest first, each with the token it began under and how it ended.',
  catalogue: null,
  scope: ANY_ROUTINES_WRITE,
  cost: READ,
  http: { method: 'get', path: '/api/v1/routines/:id/runs' },
  input: ListRunsInput,
  output: pageSchema(runSchema),
  effect: 'reads',
  inRoutines: false,
  readsFrom: 'routines',
  resource: ({ id }) => `routine/${id}`,
};

@DeclareOperation(listRuns)
export class ListRoutineRunsOperation implements Operation<ListRunsInput> {
  constructor(
    private readonly queries: QueryBus,
    private readonly atHead: AtHead,
  ) {}

  async run(input: ListRunsInput, { token, nowMs }: Call): Promise<Result> {
    await this.atHead.of('routines');
    const request = { reach: reachOf(token), routine: input.id, nowMs, ...pageOfInput(input) };
    const page = await this.queries.execute(new ListRuns(request));
    return page === null ? notFound(NO_ROUTINE) : { body: page };
  }
}

@DeclareOperation(forOperators(listRuns))
export class AdminListRoutineRunsOperation extends ListRoutineRunsOperation {}

const getRun: OperationSpec<RunIdInput> = {
  name: 'get_routine_run',
  title: 'Read a run',
  summary:
    'One run and its steps: each with decision, status, request id, position in the log and the token it ran under.',
  catalogue: null,
  scope: ANY_ROUTINES_WRITE,
  cost: READ,
  http: { method: 'get', path: '/api/v1/routines/:id/runs/:run' },
  input: RunIdInput,
  output: runDetailSchema,
  effect: 'reads',
  inRoutines: false,
  readsFrom: 'routines',
  resource: ({ id }) => `routine/${id}`,
};

@DeclareOperation(getRun)
export class GetRoutineRunOperation implements Operation<RunIdInput> {
  constructor(
    private readonly queries: QueryBus,
    private readonly atHead: AtHead,
  ) {}

  async run({ id, run }: RunIdInput, { token, nowMs }: Call): Promise<Result> {
    await this.atHead.of('routines');
    const found = await this.queries.execute(new GetRun({ reach: reachOf(token), routine: id, run, nowMs }));
    return found === null ? notFound('There is no such run here.') : { body: found };
  }
}

@DeclareOperation(forOperators(getRun))
export class AdminGetRoutineRunOperation extends GetRoutineRunOperation {}

export const READ_ROUTINES = [
  ListRoutinesOperation,
  GetRoutineOperation,
  ListRoutineRunsOperation,
  GetRoutineRunOperation,
  AdminListRoutinesOperation,
  AdminGetRoutineOperation,
  AdminListRoutineRunsOperation,
  AdminGetRoutineRunOperation,
];
