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
import type { Definition } from '../events.ts';
import { RoutineDesk } from '../routine-desk.ts';
import { routineSchema } from '../schema.ts';
import { forOperators } from './admin.ts';
import { AdminCreateRoutineInput, CreateRoutineInput, RoutineIdInput, UpdateRoutineInput } from './inputs.ts';

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
      catalogue: under.catalogue,
      lineage: under.lineage,
      token: under.id,
      definition,
      firstSlot: desk.firstSlotOf(definition.schedule),
      at: new Date(call.nowMs).toISOString(),
    },
    call,
  );
}

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

  async run({ id, name, schedule, steps, missed_slots }: UpdateRoutineInput, call: Call): Promise<Result> {
    const steered = await this.desk.steered(id, call);
    if (isProblem(steered)) return steered;
    const mistakes = this.desk.mistakes(schedule, steps, steered.routine.catalogue);
    if (mistakes.length > 0) return invalid(mistakes);
    const definition: Partial<Definition> = {
      ...(name !== undefined && { name: name.normalize('NFC') }),
      ...(schedule !== undefined && { schedule: { ...schedule } }),
      ...(steps !== undefined && {
        steps: steps.map(({ operation, input: given }) => ({ operation, input: given })),
      }),
      ...(missed_slots !== undefined && { missed_slots }),
    };
    return this.desk.decide(
      id,
      {
        type: 'UpdateRoutine',
        definition,
        firstSlotOf: (next) => this.desk.firstSlotOf(next),
        at: new Date(call.nowMs).toISOString(),
      },
      call,
    );
  }
}

@DeclareOperation(forOperators(update))
export class AdminUpdateRoutineOperation extends UpdateRoutineOperation {}

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
