import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MemoryEventLog } from '../../test/doubles/memory-event-log.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import type { NewEvent } from '../../libs/event-log/event-log.ts';
import { startProjection } from '../../libs/projection/runner.ts';
import { openReadDb, type ReadDb } from '../../libs/read-db/read-db.ts';
import type { RoutineEvent } from '../../libs/routines/events.ts';
import {
  ActiveRoutines,
  DueSchedules,
  FreeRuns,
  GetRoutine,
  GetRun,
  LatestOutcomes,
  ListRoutines,
  ListRuns,
} from '../../libs/routines/queries.ts';
import type { RunEvent } from '../../libs/routines/runs/events.ts';
import { lineageKey } from '../../libs/tokens/token-id.ts';
import { GetRoutineHandler, GetRunHandler, ListRoutinesHandler, ListRunsHandler } from './queries.ts';
import { routines } from './routines.projection.ts';
import { ActiveRoutinesHandler, DueSchedulesHandler, FreeRunsHandler, LatestOutcomesHandler } from './work-queries.ts';

jest.setTimeout(180_000);

const at = '2026-11-24T12:00:00.000Z';
const nowMs = Date.parse(at);
const later = (minutes: number): string => new Date(nowMs + minutes * 60_000).toISOString();
const LINEAGE = '01J9ZK3V8QAAAAAAAAAAAAAAA1';
const OTHER = '01J9ZK3V8QAAAAAAAAAAAAAAA2';
const actor = { person: { id: 'jason', name: 'Jason' }, token: LINEAGE, label: 'nightly', face: 'rest' };

const stored = (event: RoutineEvent | RunEvent): NewEvent => ({
  id: randomUUID(),
  ...event,
  metadata: { $correlationId: 'c', $causationId: 'c', schema: 1, actor },
});
const definition = {
  name: 'Every minute',
  schedule: { cron: '* * * * *', time_zone: 'UTC' },
  steps: [{ operation: 'list_reports', input: {} }],
  missed_slots: 'run_once',
} as const;
const created = (id: string, workspace: string, catalogue: string, lineage: string): RoutineEvent => ({
  type: 'RoutineCreated',
  data: { ...definition, id, workspace, catalogue, lineage, token: lineage, first_slot: later(1), at },
});
const opened = (id: string, routine: string, slot: string, next: string | null, epoch = 1): RunEvent => ({
  type: 'RunOpened',
  data: {
    id,
    routine,
    workspace: 'w1',
    lineage: LINEAGE,
    token: LINEAGE,
    label: 'nightly',
    trigger: next === null ? 'by_hand' : 'schedule',
    slot,
    missed_since: null,
    epoch,
    definition: 0,
    next_slot: next,
    at: slot,
  },
});
const claimed = (until: string): RunEvent => ({ type: 'RunClaimed', data: { runner: 'one', lease_until: until, at } });
const failed: RunEvent = { type: 'RunEnded', data: { outcome: 'failed', reason: 'step 0', at: later(2) } };

describe.each(['PGlite', 'PostgreSQL'])('the read model of routines on %s', (engine) => {
  let db: ReadDb;
  let log: MemoryEventLog;
  let end: () => Promise<unknown>;

  beforeAll(async () => {
    if (engine === 'PostgreSQL') {
      const postgres = await startPostgres('routines');
      db = await openReadDb({ databaseUrl: postgres.url });
      end = () => postgres.stop();
    } else {
      const directory = await mkdtemp(join(tmpdir(), 'writ-routines-'));
      db = await openReadDb({ directory: join(directory, 'read') });
      end = () => rm(directory, { recursive: true });
    }
  });
  afterAll(async () => {
    await db.close();
    await end();
  });

  const build = async (events: readonly (readonly [string, RoutineEvent | RunEvent])[], batchSize: number) => {
    // Another log each time, so that the model is thrown away and built anew.
    log = new MemoryEventLog();
    for (const [stream, event] of events) await log.append(stream, 'any', [stored(event)]);
    const running = await startProjection({ log, readDb: db, projection: routines, batchSize });
    expect(await running.waitFor((await log.head()) ?? 0, 60_000)).toBe(true);
    await running.stop();
  };
  const reach = (more: object = {}) => ({ workspace: 'w1', catalogue: null, lineage: null, ...more });
  const names = async (more: object = {}): Promise<string[]> => {
    const request = { reach: reach(more), cursor: null, limit: 50, nowMs };
    return (await new ListRoutinesHandler(db).execute(new ListRoutines(request))).items.map(({ id }) => id);
  };
  const due = async (minutes: number) =>
    (await new DueSchedulesHandler(db).execute(new DueSchedules({ nowMs: nowMs + minutes * 60_000, limit: 9 }))).map(
      ({ routine, epoch, dueAtMs }) => [routine, epoch, new Date(dueAtMs).toISOString()],
    );

  const story: readonly (readonly [string, RoutineEvent | RunEvent])[] = [
    ['routine-A', created('A', 'w1', 'comma', LINEAGE)],
    ['routine-B', created('B', 'w1', 'toado', OTHER)],
    ['routine-C', created('C', 'w2', 'comma', LINEAGE)],
    ['run-R1', opened('R1', 'A', later(1), later(2))],
    ['run-R1', claimed(later(3))],
    [
      'run-R1',
      {
        type: 'StepRecorded',
        data: {
          step: 0,
          operation: 'list_reports',
          decision: 'allowed',
          status: 200,
          request_id: 'q1',
          position: null,
          reason: null,
          token: LINEAGE,
          label: 'nightly',
          kept: {},
          lease_until: later(4),
          at: later(1),
        },
      },
    ],
  ];

  it('P8 P13 shows what is within reach, and nothing else of it either', async () => {
    await build(story, 500);
    expect(await names()).toEqual(['B', 'A']);
    expect(await names({ catalogue: 'comma' })).toEqual(['A']);
    expect(await names({ lineage: OTHER })).toEqual(['B']);
    expect(await names({ workspace: 'w2' })).toEqual(['C']);
    const seen = async (more: object) => ({
      routine: await new GetRoutineHandler(db).execute(new GetRoutine({ reach: reach(more), id: 'A', nowMs })),
      runs: await new ListRunsHandler(db).execute(
        new ListRuns({ reach: reach(more), routine: 'A', cursor: null, limit: 9, nowMs }),
      ),
      run: await new GetRunHandler(db).execute(new GetRun({ reach: reach(more), routine: 'A', run: 'R1', nowMs })),
    });
    for (const out of [{ workspace: 'w2' }, { catalogue: 'toado' }, { lineage: OTHER }]) {
      expect(await seen(out)).toEqual({ routine: null, runs: null, run: null });
    }
    const within = await seen({ catalogue: 'comma', lineage: LINEAGE });
    expect(within.routine).toMatchObject({ id: 'A', status: 'active', next_run_at: later(2) });
    expect(within.run).toMatchObject({ status: 'running', steps_done: 1, steps: [{ step: 0, request_id: 'q1' }] });
    // A run of another routine is none of this one's.
    const crossed = new GetRun({ reach: reach(), routine: 'B', run: 'R1', nowMs });
    expect(await new GetRunHandler(db).execute(crossed)).toBeNull();
  });

  it('P8 a routine bound to another token is that one’s, and what it did before is not', async () => {
    const rebound: RoutineEvent = {
      type: 'RoutineRebound',
      data: {
        catalogue: 'toado',
        lineage: OTHER,
        token: OTHER,
        schedule: definition.schedule,
        first_slot: later(9),
        epoch: 2,
        at: later(8),
      },
    };
    await build([...story, ['run-R1', failed], ['routine-A', rebound]], 500);
    const seen = async (more: object) => {
      const asked = { reach: reach(more), routine: 'A', nowMs };
      const page = await new ListRunsHandler(db).execute(new ListRuns({ ...asked, cursor: null, limit: 9 }));
      const run = await new GetRunHandler(db).execute(new GetRun({ ...asked, run: 'R1' }));
      return [page?.items.map(({ id }) => id) ?? null, run?.id ?? null];
    };
    expect(await seen({ catalogue: 'comma', lineage: LINEAGE })).toEqual([null, null]);
    expect(await seen({ catalogue: 'toado', lineage: OTHER })).toEqual([[], null]);
    expect(await seen({ catalogue: 'toado' })).toEqual([[], null]);
    expect(await seen({})).toEqual([['R1'], 'R1']);
    expect((await due(9)).filter(([routine]) => routine === 'A')).toEqual([['A', 2, later(9)]]);
    const active = new ActiveRoutines({ lineageKey: lineageKey(OTHER), after: null, limit: 9 });
    expect((await new ActiveRoutinesHandler(db).execute(active)).map(({ id }) => id)).toContain('A');
  });

  it('P6 is the same whether built event by event or at once', async () => {
    const whole = [...story, ['run-R1', failed] as const, ['run-R2', opened('R2', 'A', later(2), null)] as const];
    const seen = async () => [
      await new ListRoutinesHandler(db).execute(new ListRoutines({ reach: reach(), cursor: null, limit: 9, nowMs })),
      await new ListRunsHandler(db).execute(
        new ListRuns({ reach: reach(), routine: 'A', cursor: null, limit: 9, nowMs }),
      ),
      await due(5),
    ];
    await build(whole, 1);
    const singly = await seen();
    await build(whole, 500);
    expect(await seen()).toEqual(singly);
  });

  it('hands out a due schedule unless a run is open, and a free run once its lease has ended', async () => {
    await build(story, 500);
    const free = (minutes: number) =>
      new FreeRunsHandler(db).execute(new FreeRuns({ nowMs: nowMs + minutes * 60_000, limit: 9 }));
    expect(await due(0)).toEqual([]);
    // A's next slot is the second minute, but its run is open.
    expect((await due(2)).map(([routine]) => routine)).toEqual(['B', 'C']);
    expect(await free(3)).toEqual([]);
    expect(await free(4)).toEqual(['R1']);
    await build([...story, ['run-R1', failed]], 500);
    expect(await due(2)).toContainEqual(['A', 1, later(2)]);
    expect(await free(9)).toEqual([]);
    const latest = new LatestOutcomes({ routine: 'A', epoch: 1, limit: 5 });
    expect(await new LatestOutcomesHandler(db).execute(latest)).toEqual(['failed']);
  });

  it('a late claim of an ended schedule disturbs none in force', async () => {
    const paused: RoutineEvent = {
      type: 'RoutinePaused',
      data: { reason: 'by_hand', note: null, epoch: 1, at: later(1) },
    };
    const resumed: RoutineEvent = {
      type: 'RoutineResumed',
      data: { schedule: definition.schedule, first_slot: later(9), epoch: 2, at: later(8) },
    };
    const claim = opened('R0', 'A', later(1), later(2));
    await build(
      [
        ['routine-A', created('A', 'w1', 'comma', LINEAGE)],
        ['routine-A', paused],
        ['run-R0', claim],
      ],
      500,
    );
    expect(await due(5)).toEqual([]);
    const active = new ActiveRoutines({ lineageKey: lineageKey(LINEAGE), after: null, limit: 9 });
    expect(await new ActiveRoutinesHandler(db).execute(active)).toEqual([]);
    const events: typeof story = [
      ['routine-A', created('A', 'w1', 'comma', LINEAGE)],
      ['routine-A', paused],
      ['routine-A', resumed],
    ];
    const ended: RunEvent = { type: 'RunEnded', data: { outcome: 'stopped', reason: 'by_hand', at: later(8) } };
    await build([...events, ['run-R0', claim], ['run-R0', ended]], 500);
    expect(await due(8)).toEqual([]);
    expect(await due(9)).toEqual([['A', 2, later(9)]]);
    expect(await new ActiveRoutinesHandler(db).execute(active)).toEqual([{ id: 'A', lineage: LINEAGE }]);
  });
});
