import { ANY_ROUTINES_WRITE } from '../../catalogue/catalogue.ts';
import {
  type Call,
  DeclareOperation,
  type Operation,
  type OperationSpec,
  type Result,
  WRITE,
} from '../../operation/operation.ts';
import { invalid, isProblem } from '../../problem/problem.ts';
import type { ViewToken } from '../../hot-view/hot-view.ts';
import type { Binding, Definition } from '../events.ts';
import type { LiveRoutine } from '../routine.ts';
import { RoutineDesk } from '../routine-desk.ts';
import { routineSchema } from '../schema.ts';
import { forOperators } from './admin.ts';
import {
  AdminCreateRoutineInput,
  AdminUpdateRoutineInput,
  CreateRoutineInput,
  RoutineIdInput,
  UpdateRoutineInput,
} from './inputs.ts';

const create: OperationSpec<CreateRoutineInput> = {
  name: 'create_routine',
  title: 'Create a routine',
  summary:
    'A schedule of steps, each an operation of the calling token’s own product. It runs under that token: its scopes, its limits, and its successor once it is rotated.',
  catalogue: null,
  scope: ANY_ROUTINES_WRITE,
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/routines', status: 201 },
  input: CreateRoutineInput,
  output: routineSchema,
  effect: 'adds',
  inRoutines: false,
};

@DeclareOperation(create)
export class CreateRoutineOperation implements Operation<CreateRoutineInput> {
  constructor(private readonly desk: RoutineDesk) {}

  run(input: CreateRoutineInput, call: Call): Promise<Result> {
    return createUnder(call.token.id, input, call, this.desk);
  }
}

@DeclareOperation<AdminCreateRoutineInput>({
  ...forOperators<AdminCreateRoutineInput>({ ...create, input: AdminCreateRoutineInput }),
  summary:
    'A schedule of steps that runs under any token of the workspace the caller could hand over itself, each step an operation of that token’s product.',
})
export class AdminCreateRoutineOperation implements Operation<AdminCreateRoutineInput> {
  constructor(private readonly desk: RoutineDesk) {}

  run(input: AdminCreateRoutineInput, call: Call): Promise<Result> {
    return createUnder(input.token, input, call, this.desk);
  }
}

async function createUnder(token: string, input: CreateRoutineInput, call: Call, desk: RoutineDesk): Promise<Result> {
  const under = await desk.under(token, call);
  if (isProblem(under)) return under;
  const mistakes = desk.mistakes(input.schedule, input.steps, under.catalogue);
  if (mistakes.length > 0) return invalid(mistakes);
  const id = call.newId();
  const definition: Definition = {
    name: input.name.normalize('NFC'),
    schedule: { ...input.schedule },
    steps: input.steps.map(({ operation, input: given }) => ({ operation, input: given })),
    missed_slots: input.missed_slots ?? 'run_once',
  };
  return desk.decide(
    id,
    {
      type: 'CreateRoutine',
      id,
      workspace: under.workspace,
      ...bindingTo(under),
      definition,
      firstSlot: desk.firstSlotOf(definition.schedule),
      at: new Date(call.nowMs).toISOString(),
    },
    call,
  );
}

const bindingTo = ({ catalogue, lineage, id }: ViewToken): Binding => ({ catalogue, lineage, token: id });

const update: OperationSpec<UpdateRoutineInput> = {
  name: 'update_routine',
  title: 'Update a routine',
  summary:
    'Changes name, schedule, steps or what becomes of missed slots; a run under way keeps the steps it began with. With If-Match only if nobody else has changed it meanwhile.',
  catalogue: null,
  scope: ANY_ROUTINES_WRITE,
  cost: WRITE,
  http: { method: 'patch', path: '/api/v1/routines/:id' },
  input: UpdateRoutineInput,
  output: routineSchema,
  effect: 'changes',
  inRoutines: false,
  resource: ({ id }) => `routine/${id}`,
};

@DeclareOperation(update)
export class UpdateRoutineOperation implements Operation<UpdateRoutineInput> {
  constructor(private readonly desk: RoutineDesk) {}

  async run(input: UpdateRoutineInput, call: Call): Promise<Result> {
    const steered = await this.desk.steered(input.id, call);
    return isProblem(steered) ? steered : changed(steered.routine, null, input, call, this.desk);
  }
}

@DeclareOperation<AdminUpdateRoutineInput>({
  ...forOperators<AdminUpdateRoutineInput>({ ...update, input: AdminUpdateRoutineInput }),
  summary:
    'Changes name, schedule, steps or what becomes of missed slots, or binds it to another token that the caller could hand over itself; a run under way keeps the steps and the token it began with. With If-Match only if nobody else has changed it meanwhile.',
})
export class AdminUpdateRoutineOperation implements Operation<AdminUpdateRoutineInput> {
  constructor(private readonly desk: RoutineDesk) {}

  async run({ token, ...input }: AdminUpdateRoutineInput, call: Call): Promise<Result> {
    if (token === undefined) {
      const steered = await this.desk.steered(input.id, call);
      return isProblem(steered) ? steered : changed(steered.routine, null, input, call, this.desk);
    }
    // Whether the token it ran under lives, and goes beyond the caller's, is no matter: nothing is done under it any more.
    const routine = await this.desk.own(input.id, call);
    if (isProblem(routine)) return routine;
    const under = await this.desk.under(token, call);
    return isProblem(under) ? under : changed(routine, bindingTo(under), input, call, this.desk);
  }
}

function changed(
  routine: LiveRoutine,
  binding: Binding | null,
  { id, name, schedule, steps, missed_slots }: UpdateRoutineInput,
  call: Call,
  desk: RoutineDesk,
): Promise<Result> | Result {
  const { catalogue } = binding ?? routine;
  const given = steps?.map(({ operation, input }) => ({ operation, input }));
  const toCheck = given ?? (binding === null ? undefined : routine.definition.steps);
  const mistakes = desk.mistakes(schedule, toCheck, catalogue);
  if (mistakes.length > 0) return invalid(mistakes);
  const definition: Partial<Definition> = {
    ...(name !== undefined && { name: name.normalize('NFC') }),
    ...(schedule !== undefined && { schedule: { ...schedule } }),
    ...(given !== undefined && { steps: given }),
    ...(missed_slots !== undefined && { missed_slots }),
  };
  return desk.decide(
    id,
    {
      type: 'UpdateRoutine',
      definition,
      binding,
      checked: toCheck === undefined ? null : { steps: toCheck, catalogue },
      firstSlotOf: (next) => desk.firstSlotOf(next),
      at: new Date(call.nowMs).toISOString(),
    },
    call,
  );
}

const remove: OperationSpec<RoutineIdInput> = {
  name: 'delete_routine',
  title: 'Delete a routine',
  summary: 'Ends a routine for good; a run under way stops before its next step. Its runs can still be read.',
  catalogue: null,
  scope: ANY_ROUTINES_WRITE,
  cost: WRITE,
  http: { method: 'delete', path: '/api/v1/routines/:id' },
  input: RoutineIdInput,
  output: routineSchema,
  effect: 'destroys',
  inRoutines: false,
  resource: ({ id }) => `routine/${id}`,
};

@DeclareOperation(remove)
export class DeleteRoutineOperation implements Operation<RoutineIdInput> {
  constructor(private readonly desk: RoutineDesk) {}

  async run({ id }: RoutineIdInput, call: Call): Promise<Result> {
    const own = await this.desk.own(id, call);
    if (isProblem(own)) return own;
    return this.desk.decide(id, { type: 'DeleteRoutine', at: new Date(call.nowMs).toISOString() }, call);
  }
}

@DeclareOperation(forOperators(remove))
export class AdminDeleteRoutineOperation extends DeleteRoutineOperation {}

export const WRITE_ROUTINES = [
  CreateRoutineOperation,
  UpdateRoutineOperation,
  DeleteRoutineOperation,
  AdminCreateRoutineOperation,
  AdminUpdateRoutineOperation,
  AdminDeleteRoutineOperation,
];
