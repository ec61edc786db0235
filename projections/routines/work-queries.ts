import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Kysely } from 'kysely';
import { tablesOf } from '../../libs/projection/projection.ts';
import { READ_DB, type ReadDb } from '../../libs/read-db/read-db.ts';
import {
  ActiveRoutines,
  type DueSchedule,
  DueSchedules,
  FreeRuns,
  LatestOutcomes,
} from '../../libs/routines/queries.ts';
import { routines, type RoutineTables } from './routines.projection.ts';

/** What runners look for work in: all workspaces', for what they do passes the gate under each routine's own token. */

@QueryHandler(DueSchedules)
export class DueSchedulesHandler implements IQueryHandler<DueSchedules> {
  readonly #db: Kysely<RoutineTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, routines);
  }

  async execute({ request: { nowMs, limit } }: DueSchedules): Promise<DueSchedule[]> {
    const rows = await this.#db
      .selectFrom('schedules')
      .selectAll()
      .where('live', '=', true)
      .where((where) => where.or([where('due_at', '<=', nowMs), where('last_slot', '>', nowMs)]))
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('runs')
              .select('runs.id')
              .whereRef('runs.routine', '=', 'schedules.routine')
              .where('runs.ended_at', 'is', null),
          ),
        ),
      )
      .orderBy('due_at')
      .limit(limit)
      .execute();
    return rows.flatMap(({ routine, epoch, cron, time_zone, due_at, last_slot }) =>
      due_at === null
        ? []
        : [{ routine, epoch, schedule: { cron, time_zone }, dueAtMs: due_at, lastSlotMs: last_slot }],
    );
  }
}

@QueryHandler(FreeRuns)
export class FreeRunsHandler implements IQueryHandler<FreeRuns> {
  readonly #db: Kysely<RoutineTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, routines);
  }

  async execute({ request: { nowMs, limit } }: FreeRuns): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('runs')
      .select('id')
      .where('ended_at', 'is', null)
      .where('free_at', '<=', nowMs)
      .orderBy('free_at')
      .limit(limit)
      .execute();
    return rows.map(({ id }) => id);
  }
}

@QueryHandler(ActiveRoutines)
export class ActiveRoutinesHandler implements IQueryHandler<ActiveRoutines> {
  readonly #db: Kysely<RoutineTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, routines);
  }

  async execute({ request: { lineageKey, after, limit } }: ActiveRoutines): Promise<{ id: string; lineage: string }[]> {
    let query = this.#db.selectFrom('routines').select(['id', 'lineage']).where('status', '=', 'active');
    if (lineageKey !== null) query = query.where('lineage_key', '=', lineageKey);
    if (after !== null) query = query.where('id', '>', after);
    return query.orderBy('id').limit(limit).execute();
  }
}

@QueryHandler(LatestOutcomes)
export class LatestOutcomesHandler implements IQueryHandler<LatestOutcomes> {
  readonly #db: Kysely<RoutineTables>;
  constructor(@Inject(READ_DB) readDb: ReadDb) {
    this.#db = tablesOf(readDb, routines);
  }

  async execute({ request: { routine, epoch, limit } }: LatestOutcomes): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('runs')
      .select('status')
      .where('routine', '=', routine)
      .where('epoch', '=', epoch)
      .where('ended_at', 'is not', null)
      .orderBy('position', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ status }) => status);
  }
}

export const ROUTINE_WORK_QUERIES = [
  DueSchedulesHandler,
  FreeRunsHandler,
  ActiveRoutinesHandler,
  LatestOutcomesHandler,
];
