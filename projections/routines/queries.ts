import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Kysely, Selectable } from 'kysely';
import { attribute } from '../../libs/person/attribution.ts';
import { tablesOf } from '../../libs/projection/projection.ts';
import { decodeCursor, encodeCursor, type Page, pageOf } from '../../libs/read-db/page.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import {
  GetRoutine,
  GetRun,
  ListRoutines,
  ListRuns,
  type RoutineView,
  type RunDetail,
  type RunView,
} from '../../libs/routines/queries.ts';
import type { Reach } from '../../libs/routines/reach.ts';
import { routines, type RoutineTables } from './routines.projection.ts';

type Rows = { [Table in keyof RoutineTables]: Selectable<RoutineTables[Table]> };

/** What is out of reach is not there (P8, P13). */
function withinReach(db: Kysely<RoutineTables>, { workspace, catalogue, lineage }: Reach) {
  let query = db
    .selectFrom('routines')
    .leftJoin('schedules', (join) =>
      join.onRef('schedules.routine', '=', 'routines.id').onRef('schedules.epoch', '=', 'routines.epoch'),
    )
    .selectAll('routines')
    .select('schedules.due_at')
    .where('routines.workspace', '=', workspace);
  if (catalogue !== null) query = query.where('routines.catalogue', '=', catalogue);
  if (lineage !== null) query = query.where('routines.lineage', '=', lineage);
  return query;
}

/**
 * The runs of a routine that a caller sees; null: there is no such routine within reach. A product's token sees those
 * of the lineage the routine is bound to now: what it did under another before, maybe of another product, is that one's.
 */
async function runsWithin(db: Kysely<RoutineTables>, reach: Reach, id: string) {
  const routine = await withinReach(db, reach).where('routines.id', '=', id).executeTakeFirst();
  if (routine === undefined) return null;
  const runs = db.selectFrom('runs').selectAll().where('routine', '=', id);
  return { runs: reach.catalogue === null ? runs : runs.where('lineage', '=', routine.lineage) };
}

const routineView = (row: Rows['routines'] & { readonly due_at: number | null }, nowMs: number): RoutineView => ({
  id: row.id,
  name: row.name,
  schedule: row.schedule,
  steps: row.steps,
  missed_slots: row.missed_slots,
  status: row.status,
  pause: row.pause,
  catalogue: row.catalogue,
  lineage: row.lineage,
  next_run_at: row.status === 'active' && row.due_at !== null ? new Date(row.due_at).toISOString() : null,
  version: row.version,
  by: attribute(row.actor, row.updated_at, nowMs),
  created_at: row.created_at,
  updated_at: row.updated_at,
});

const runView = (row: Rows['runs'], nowMs: number): RunView => ({
  id: row.id,
  routine: row.routine,
  trigger: row.trigger,
  slot: row.slot,
  missed_since: row.missed_since,
  status: row.status,
  reason: row.reason,
  deferred: row.deferred,
  token: { id: row.token, label: row.label },
  steps_done: row.steps_done,
  by: attribute(row.actor, row.opened_at, nowMs),
  opened_at: row.opened_at,
  ended_at: row.ended_at,
});

@QueryHandler(ListRoutines)
export class ListRoutinesHandler implements IQueryHandler<ListRoutines> {
  readonly #db: Kysely<RoutineTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, routines);
  }

  async execute({ request }: ListRoutines): Promise<Page<RoutineView>> {
    const { reach, status, cursor, limit, nowMs } = request;
    const [before] = decodeCursor('routines', cursor) ?? [];
    let query = withinReach(this.#db, reach);
    query =
      status === undefined
        ? query.where('routines.status', '!=', 'deleted')
        : query.where('routines.status', '=', status);
    if (before !== undefined) query = query.where('routines.position', '<', before);
    const rows = await query
      .orderBy('routines.position', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      (row) => routineView(row, nowMs),
      (row) => encodeCursor('routines', row.position),
    );
  }
}

@QueryHandler(GetRoutine)
export class GetRoutineHandler implements IQueryHandler<GetRoutine> {
  readonly #db: Kysely<RoutineTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, routines);
  }

  async execute({ request: { reach, id, nowMs } }: GetRoutine): Promise<RoutineView | null> {
    const row = await withinReach(this.#db, reach).where('routines.id', '=', id).executeTakeFirst();
    return row === undefined ? null : routineView(row, nowMs);
  }
}

@QueryHandler(ListRuns)
export class ListRunsHandler implements IQueryHandler<ListRuns> {
  readonly #db: Kysely<RoutineTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, routines);
  }

  async execute({ request }: ListRuns): Promise<Page<RunView> | null> {
    const { reach, routine, cursor, limit, nowMs } = request;
    const [before] = decodeCursor('runs', cursor) ?? [];
    const within = await runsWithin(this.#db, reach, routine);
    if (within === null) return null;
    const query = before === undefined ? within.runs : within.runs.where('position', '<', before);
    const rows = await query
      .orderBy('position', 'desc')
      .limit(limit + 1)
      .execute();
    return pageOf(
      rows,
      limit,
      (row) => runView(row, nowMs),
      (row) => encodeCursor('runs', row.position),
    );
  }
}

@QueryHandler(GetRun)
export class GetRunHandler implements IQueryHandler<GetRun> {
  readonly #db: Kysely<RoutineTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, routines);
  }

  async execute({ request: { reach, routine, run, nowMs } }: GetRun): Promise<RunDetail | null> {
    const within = await runsWithin(this.#db, reach, routine);
    const row = await within?.runs.where('id', '=', run).executeTakeFirst();
    if (row === undefined) return null;
    const steps = await this.#db.selectFrom('steps').selectAll().where('run', '=', run).orderBy('step').execute();
    return { ...runView(row, nowMs), steps: steps.map(({ run: _run, ...step }) => step) };
  }
}

export const ROUTINE_QUERIES = [ListRoutinesHandler, GetRoutineHandler, ListRunsHandler, GetRunHandler];
