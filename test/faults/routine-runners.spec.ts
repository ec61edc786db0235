import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RoutineRunner } from '../../libs/routines/runner/routine-runner.ts';
import { LEASE_MS } from '../../libs/routines/runner/run-worker.ts';
import { breaking, MINUTE_MS, newRunner, runsOf, TestClock, tick } from '../support/routines.ts';
import { type Answer, type Body, createToken, startServer, type TestServer } from '../support/server.ts';

jest.setTimeout(240_000);

const SCOPES = ['reports:read', 'reports:write', 'comments:write', 'routines:write'];
const HOUR_MS = 60 * MINUTE_MS;

describe('runners of routines over one log', () => {
  const clock = new TestClock();
  let server: TestServer;
  let agent: { readonly id: string; readonly token: string };
  let one: RoutineRunner;
  let two: RoutineRunner;

  beforeAll(async () => {
    server = await startServer({}, clock.now);
    // The server's own stands aside: here runners move by hand.
    await server.app.get(RoutineRunner).onModuleDestroy();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    agent = await createToken(server, { catalogue: 'comma', scopes: SCOPES, name: 'nightly' });
    one = newRunner(server, clock.now);
    two = newRunner(server, clock.now);
  });

  const ask = (method: string, path: string, body?: object): Promise<Answer> =>
    server.call(method, `/api/v1${path}`, { token: agent.token, ...(body === undefined ? {} : { body }) });
  const create = async (more: object = {}): Promise<string> => {
    const made = await ask('POST', '/routines', {
      name: 'Every minute',
      schedule: { cron: '* * * * *', time_zone: 'UTC' },
      steps: [
        { operation: 'create_report', input: { title: { $from: 'run.slot' } } },
        { operation: 'add_comment', input: { id: { $from: 'steps.0.id' }, body: 'Written by itself.' } },
      ],
      ...more,
    });
    expect(made).toMatchObject({ status: 201 });
    return String(made.body['id']);
  };
  const runs = (routine: string) => runsOf(server, routine);
  const reports = async (): Promise<Body[]> => {
    const events = await server.events('report-');
    return events.filter(({ metadata }) => (metadata['actor'] as Body)['token'] === agent.id) as unknown as Body[];
  };
  const types = (events: readonly Body[]): unknown[] => events.map(({ type }) => type);
  /** A minute at which a yearly schedule of this hour fires, some minutes from now. */
  const cronIn = (minutes: number): string => {
    const at = new Date(clock.now() + minutes * MINUTE_MS);
    return `${at.getUTCMinutes()} ${at.getUTCHours()} * * *`;
  };
  const retire = async (): Promise<void> => {
    await server.call('DELETE', `/api/v1/tokens/${agent.id}`, { token: server.operator });
    await tick(server, one);
  };

  it('of two at one slot one runs it, slot after slot', async () => {
    const routine = await create();
    for (let minute = 1; minute <= 3; minute++) {
      clock.advance(MINUTE_MS);
      await tick(server, one, two);
      expect(await runs(routine)).toHaveLength(minute);
    }
    expect((await runs(routine)).map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(new Set((await runs(routine)).map(({ slot }) => slot)).size).toBe(3);
    expect(types(await reports())).toEqual(Array.from({ length: 3 }, () => ['ReportCreated', 'CommentAdded']).flat());
    await retire();
  });

  it('one that dies between its claim and the first step leaves the run to another, once its lease has ended', async () => {
    const routine = await create();
    const dying = newRunner(server, clock.now, breaking(server.log, 'RunClaimed', 'after'));
    clock.advance(MINUTE_MS);
    await tick(server, dying);
    expect(await runs(routine)).toMatchObject([{ status: 'running', steps: [] }]);
    await tick(server, two);
    expect(await reports()).toEqual([]);
    clock.advance(LEASE_MS + 1_000);
    await tick(server, one, two);
    const [later, first] = await runs(routine);
    expect(first ?? later).toMatchObject({ status: 'succeeded', steps_done: 2 });
    await retire();
  });

  it('one that dies between a step and its record has done the step once', async () => {
    const routine = await create({ schedule: { cron: cronIn(1), time_zone: 'UTC' } });
    const dying = newRunner(server, clock.now, breaking(server.log, 'StepRecorded', 'before'));
    clock.advance(MINUTE_MS);
    await tick(server, dying);
    expect(types(await reports())).toEqual(['ReportCreated']);
    expect(await runs(routine)).toMatchObject([{ status: 'running', steps: [] }]);
    clock.advance(LEASE_MS + 1_000);
    await tick(server, one, two);
    expect(await runs(routine)).toMatchObject([{ status: 'succeeded', steps: [{ status: 201 }, { status: 201 }] }]);
    expect(types(await reports())).toEqual(['ReportCreated', 'CommentAdded']);
    await retire();
  });

  it('one that comes back after its lease finds its run another’s, and leaves it', async () => {
    const routine = await create({ schedule: { cron: cronIn(1), time_zone: 'UTC' } });
    const slow = newRunner(server, clock.now, breaking(server.log, 'StepRecorded', 'after'));
    clock.advance(MINUTE_MS);
    await tick(server, slow);
    clock.advance(LEASE_MS + 1_000);
    await tick(server, one);
    await tick(server, slow);
    const events = (await server.events('run-')).filter(({ data }) => (data as Body)['routine'] === routine);
    const [opened] = events;
    const id = String((opened?.data as Body | undefined)?.['id']);
    const story = (await server.events(`run-${id}`)).map(({ type }) => type);
    expect(story).toEqual(['RunOpened', 'RunClaimed', 'StepRecorded', 'RunClaimed', 'StepRecorded', 'RunEnded']);
    await retire();
  });

  it('a slot nobody was there for is run once on return', async () => {
    const routine = await create({ schedule: { cron: '*/10 * * * *', time_zone: 'UTC' } });
    clock.advance(2 * HOUR_MS);
    clock.advance(5 * MINUTE_MS - (clock.now() % (10 * MINUTE_MS)));
    await tick(server, one, two);
    await tick(server, one, two);
    const made = await runs(routine);
    expect(made).toMatchObject([{ status: 'succeeded', trigger: 'schedule' }]);
    expect(Date.parse(String(made[0]?.['missed_since']))).toBeLessThan(clock.now() - HOUR_MS);
    expect(Date.parse(String(made[0]?.['slot']))).toBeGreaterThan(clock.now() - 10 * MINUTE_MS);
    await retire();
  });

  it('or skipped, where the routine says so, and the next one is run', async () => {
    const routine = await create({ schedule: { cron: '*/10 * * * *', time_zone: 'UTC' }, missed_slots: 'skip' });
    clock.advance(2 * HOUR_MS);
    clock.advance(5 * MINUTE_MS - (clock.now() % (10 * MINUTE_MS)));
    await tick(server, one, two);
    expect(await runs(routine)).toEqual([]);
    const skipped = (await server.events(`routine-${routine}`)).filter(({ type }) => type === 'RoutineSlotsSkipped');
    expect(skipped.length).toBeGreaterThan(0);
    clock.advance(5 * MINUTE_MS + 1_000);
    await tick(server, one, two);
    expect(await runs(routine)).toMatchObject([{ status: 'succeeded', missed_since: null }]);
    await retire();
  });

  it('a clock that ran a day ahead and was put back: slots go on from here, none twice', async () => {
    const routine = await create({ schedule: { cron: '*/10 * * * *', time_zone: 'UTC' } });
    clock.advance(24 * HOUR_MS);
    await tick(server, one);
    clock.advance(-24 * HOUR_MS);
    await tick(server, one, two);
    expect(await runs(routine)).toHaveLength(1);
    clock.advance(10 * MINUTE_MS);
    await tick(server, one, two);
    clock.advance(10 * MINUTE_MS);
    await tick(server, one, two);
    const slots = (await runs(routine)).map(({ slot }) => slot);
    expect(slots).toHaveLength(3);
    expect(new Set(slots).size).toBe(3);
    await retire();
  });

  it('one that is stopped finishes its step and hands the run over at once', async () => {
    const routine = await create({ schedule: { cron: cronIn(1), time_zone: 'UTC' } });
    clock.advance(MINUTE_MS);
    await one.tick();
    await one.onModuleDestroy();
    await tick(server, two);
    expect(await runs(routine)).toMatchObject([{ status: 'succeeded', steps_done: 2 }]);
    expect(types(await reports())).toEqual(['ReportCreated', 'CommentAdded']);
    await retire();
  });
});
