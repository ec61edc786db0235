import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { useOf } from '../../libs/usage/use.ts';
import { eventually, MINUTE_MS, type RunBody, runsOf, TestClock } from '../support/routines.ts';
import { type Answer, type Body, createToken, startServer, type TestServer } from '../support/server.ts';

jest.setTimeout(240_000);

const SCOPES = ['reports:read', 'reports:write', 'comments:read', 'comments:write', 'routines:write'];

interface Made {
  readonly id: string;
  readonly token: string;
}

describe('routines', () => {
  const clock = new TestClock();
  let server: TestServer;
  let nightly: Made;

  beforeAll(async () => {
    server = await startServer({}, clock.now);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    nightly = await createToken(server, { catalogue: 'comma', scopes: SCOPES, name: 'nightly' });
  });
  afterEach(async () => {
    // Whatever runs under it stops, so that the next test's minutes are its own.
    await operate('DELETE', `/tokens/${nightly.id}`);
  });

  const ask = (method: string, path: string, body?: object, token = nightly.token): Promise<Answer> =>
    server.call(method, `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) });
  const operate = (method: string, path: string, body?: object): Promise<Answer> =>
    ask(method, path, body, server.operator);
  const define = (more: object = {}): object => ({
    name: 'Weekly report',
    schedule: { cron: '* * * * *', time_zone: 'Europe/Berlin' },
    steps: [
      { operation: 'create_report', input: { title: { $from: 'run.day' }, body: 'All is well.' } },
      { operation: 'add_comment', input: { id: { $from: 'steps.0.id' }, body: 'Written by itself.' } },
    ],
    ...more,
  });
  const create = async (more: object = {}, token = nightly.token): Promise<string> => {
    const made = await ask('POST', '/routines', define(more), token);
    expect(made).toMatchObject({ status: 201 });
    return String(made.body['id']);
  };
  const withStatus = (routine: string, ...statuses: string[]): Promise<RunBody> =>
    eventually(async () => (await runsOf(server, routine)).find(({ status }) => statuses.includes(status)) ?? null);
  const ended = (routine: string): Promise<RunBody> => withStatus(routine, 'succeeded', 'failed', 'stopped');
  const paused = (routine: string): Promise<Body> =>
    eventually(async () => {
      const { body } = await operate('GET', `/admin/routines/${routine}`);
      return body['status'] === 'paused' ? body : null;
    });
  /** How many there ever were; earlier tests' may still pause meanwhile. */
  const made = async (): Promise<number> =>
    (await server.events('routine-')).filter(({ type }) => type === 'RoutineCreated').length;
  const usesOf = async (token: string) =>
    (await server.events()).map(useOf).filter((use) => use !== null && use.token === token);

  it('runs its steps at its slot, each seen in what the run tells and in what it wrote', async () => {
    const routine = await create();
    clock.advance(MINUTE_MS);
    const run = await ended(routine);
    expect(run).toMatchObject({ status: 'succeeded', trigger: 'schedule', missed_since: null, steps_done: 2 });
    expect(run['token']).toEqual({ id: nightly.id, label: 'nightly' });
    expect(run.steps).toMatchObject([
      { operation: 'create_report', decision: 'allowed', status: 201, token: nightly.id, label: 'nightly' },
      { operation: 'add_comment', decision: 'allowed', status: 201, token: nightly.id, label: 'nightly' },
    ]);
    const [report] = (await ask('GET', '/reports')).body['items'] as Body[];
    expect(report).toMatchObject({
      title: new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Berlin' }).format(Date.parse(String(run['slot']))),
      by: { text: 'Operator (nightly) · via routine · just now', face: 'routine', token: nightly.id },
    });
    // Each step is a use of the token, found under the request the run names.
    const uses = await usesOf(nightly.id);
    for (const { request_id, operation } of run.steps) {
      expect(uses).toContainEqual(
        expect.objectContaining({ request_id, operation, face: 'routine', decision: 'allowed' }),
      );
    }
  });

  it('P2 the routine of a revoked token pauses, says why, and nothing of it runs again', async () => {
    const routine = await create();
    await operate('DELETE', `/tokens/${nightly.id}`);
    expect(await paused(routine)).toMatchObject({ pause: { reason: 'token_revoked' }, next_run_at: null });
    clock.advance(2 * MINUTE_MS);
    const other = await createToken(server, { catalogue: 'comma', scopes: SCOPES });
    await ended(await create({}, other.token).then(async (id) => (clock.advance(MINUTE_MS), id)));
    expect(await runsOf(server, routine)).toEqual([]);
    expect(await operate('POST', `/admin/routines/${routine}/resume`)).toMatchObject({ status: 409 });
    await operate('DELETE', `/tokens/${other.id}`);
  });

  it('P2 a suspended token’s pauses too, and goes on when both are resumed', async () => {
    const routine = await create();
    await operate('POST', `/tokens/${nightly.id}/suspend`);
    expect(await paused(routine)).toMatchObject({ pause: { reason: 'token_suspended' } });
    await operate('POST', `/tokens/${nightly.id}/resume`);
    expect(await ask('POST', `/routines/${routine}/resume`)).toMatchObject({ status: 200, body: { status: 'active' } });
    clock.advance(MINUTE_MS);
    expect(await ended(routine)).toMatchObject({ status: 'succeeded' });
  });

  it('P2 an expired token’s pauses at its next slot', async () => {
    const brief = await createToken(server, { catalogue: 'comma', scopes: SCOPES });
    const routine = await create({}, brief.token);
    // Its end comes by the clock the runner has, too.
    await operate('PATCH', `/tokens/${brief.id}`, { expires_at: new Date(clock.now() + MINUTE_MS / 2).toISOString() });
    clock.advance(MINUTE_MS);
    expect(await paused(routine)).toMatchObject({ pause: { reason: 'token_expired' } });
    expect(await runsOf(server, routine)).toEqual([]);
  });

  it('a rotated token hands it on, and no run is missed', async () => {
    const routine = await create();
    clock.advance(MINUTE_MS);
    await ended(routine);
    const rotated = await operate('POST', `/tokens/${nightly.id}/rotate`, { overlap_seconds: 0 });
    const successor = String(rotated.body['id']);
    clock.advance(MINUTE_MS);
    const [second] = await eventually(async () => {
      const all = await runsOf(server, routine);
      return all.length === 2 && all[0]?.['ended_at'] !== null ? all : null;
    });
    expect(second).toMatchObject({ status: 'succeeded', missed_since: null, token: { id: successor } });
    expect(second?.steps).toMatchObject([{ token: successor }, { token: successor }]);
    // It is the successor's to change now, and stops with it.
    const path = `/routines/${routine}`;
    expect(await ask('PATCH', path, { name: 'Mine' }, String(rotated.body['token']))).toMatchObject({ status: 200 });
    await operate('DELETE', `/tokens/${successor}`);
    expect(await paused(routine)).toMatchObject({ pause: { reason: 'token_revoked' } });
  });

  it('P7 a step is decided as the same call on REST', async () => {
    const narrow = await createToken(server, { catalogue: 'comma', scopes: ['reports:read', 'routines:write'] });
    const nowhere = '01J9ZK3V8Q6T4W2Y0B7D5F1G3H';
    const cases = [
      { step: { operation: 'list_reports', input: {} }, rest: ['GET', '/reports'] },
      { step: { operation: 'create_report', input: { title: 'No' } }, rest: ['POST', '/reports', { title: 'No' }] },
      { step: { operation: 'get_report', input: { id: nowhere } }, rest: ['GET', `/reports/${nowhere}`] },
      { step: { operation: 'list_comments', input: { id: nowhere } }, rest: ['GET', `/reports/${nowhere}/comments`] },
      { step: { operation: 'who_am_i', input: {} }, rest: ['GET', '/me'] },
    ] as const;
    for (const { step, rest } of cases) {
      const routine = await create({ schedule: { cron: '0 0 1 1 *', time_zone: 'UTC' }, steps: [step] }, narrow.token);
      expect(await ask('POST', `/routines/${routine}/run`, {}, narrow.token)).toMatchObject({ status: 202 });
      const run = await ended(routine);
      const [method, path, body] = rest;
      const answer = await ask(method, path, body, narrow.token);
      expect(run.steps).toMatchObject([{ operation: step.operation, status: answer.status }]);
      const uses = (await usesOf(narrow.id)).filter((use) => use?.operation === step.operation);
      const decided = uses.map((use) => [use?.decision, use?.reason, use?.status, use?.budget, use?.cost]);
      expect(uses.map((use) => use?.face).toSorted()).toEqual(['rest', 'routine']);
      expect(decided[0]).toEqual(decided[1]);
    }
    await operate('DELETE', `/tokens/${narrow.id}`);
  });

  it('a step that fails half-way ends the run with the reason, and those after it are not run', async () => {
    const steps = [
      { operation: 'create_report', input: { title: 'Half' } },
      { operation: 'add_comment', input: { id: { $from: 'steps.0.title' }, body: 'a title is no id' } },
      { operation: 'add_comment', input: { id: { $from: 'steps.0.id' }, body: 'never' } },
    ];
    const routine = await create({ steps });
    clock.advance(MINUTE_MS);
    const run = await ended(routine);
    expect(run).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('step 1 (add_comment): id: must be an id'),
    });
    expect(run.steps).toMatchObject([{ status: 201 }, { decision: 'refused', status: 422 }]);
  });

  it('a value that an answer does not hold is told, and the operation not asked', async () => {
    const steps = [
      { operation: 'list_reports', input: { status: 'draft', limit: 1 } },
      { operation: 'get_report', input: { id: { $from: 'steps.0.items.7.id' } } },
    ];
    const routine = await create({ steps });
    clock.advance(MINUTE_MS);
    const run = await ended(routine);
    expect(run).toMatchObject({ status: 'failed', reason: 'step 1 (get_report): nothing is at steps.0.items.7.id' });
    expect(run.steps[1]).toMatchObject({ status: null, request_id: null });
  });

  it('a throttled step waits, says so, and goes on when there is room', async () => {
    await operate('PATCH', `/tokens/${nightly.id}`, { limits: { writes: { per_minute: 2 } } });
    const routine = await create();
    clock.advance(MINUTE_MS);
    const waiting = await withStatus(routine, 'deferred');
    expect(waiting).toMatchObject({ deferred: { step: 1, reason: 'throttled' }, steps: [{ status: 201 }] });
    expect(Date.parse(String((waiting['deferred'] as Body)['until']))).toBeGreaterThan(clock.now());
    await operate('PATCH', `/tokens/${nightly.id}`, { limits: { writes: { per_minute: 100 } } });
    clock.advance(MINUTE_MS);
    expect(await ended(routine)).toMatchObject({ status: 'succeeded', deferred: null, steps_done: 2 });
  });

  it('pauses and resumes by hand, and is run by hand between its slots', async () => {
    const routine = await create({ schedule: { cron: '@yearly', time_zone: 'UTC' } });
    const run = await ask('POST', `/routines/${routine}/run`);
    expect(run).toMatchObject({ status: 202, body: { status: 'waiting', trigger: 'by_hand' } });
    expect(await ended(routine)).toMatchObject({ id: run.body['id'], status: 'succeeded' });
    const note = 'until the move is over';
    expect(await ask('POST', `/routines/${routine}/pause`, { note })).toMatchObject({
      status: 200,
      body: { status: 'paused', pause: { reason: 'by_hand', note }, next_run_at: null },
    });
    expect(await ask('POST', `/routines/${routine}/run`)).toMatchObject({ status: 409 });
    const resumed = await ask('POST', `/routines/${routine}/resume`);
    expect(resumed.body['next_run_at']).toMatch(/-01-01T00:00:00.000Z$/);
  });

  it('is paused after five failures in a row', async () => {
    const routine = await create({ steps: [{ operation: 'get_report', input: { id: nightly.id } }] });
    for (let failure = 1; failure <= 5; failure++) {
      clock.advance(MINUTE_MS);
      await eventually(
        async () => (await runsOf(server, routine)).filter(({ status }) => status === 'failed').length === failure,
      );
    }
    expect(await paused(routine)).toMatchObject({ pause: { reason: 'failures' } });
  });

  it('is updated where nobody else has, and read as it then is', async () => {
    const routine = await create();
    const path = `/api/v1/routines/${routine}`;
    const how = { token: nightly.token, headers: { 'if-match': '"0"' } };
    const updated = await server.call('PATCH', path, {
      ...how,
      body: { name: 'Monthly', schedule: { cron: '@monthly', time_zone: 'UTC' } },
    });
    expect(updated).toMatchObject({ status: 200, body: { name: 'Monthly', version: 1 } });
    expect(await server.call('PATCH', path, { ...how, body: { name: 'Other' } })).toMatchObject({ status: 412 });
    const headers = { 'x-log-position': String(updated.headers.get('x-log-position')) };
    const read = await server.call('GET', path, { token: nightly.token, headers });
    expect(read.body).toEqual(updated.body);
    expect(await ask('DELETE', `/routines/${routine}`)).toMatchObject({ status: 200, body: { status: 'deleted' } });
    expect(await ask('PATCH', `/routines/${routine}`, { name: 'Gone' })).toMatchObject({ status: 404 });
  });

  it('P13 is nobody’s to steer but its own token’s: another would act with what it does not hold', async () => {
    const routine = await create();
    const other = await createToken(server, { catalogue: 'comma', scopes: ['routines:write'] });
    const before = await server.events(`routine-${routine}`);
    for (const [method, path, body] of [
      ['PATCH', '', { steps: [{ operation: 'list_reports', input: {} }] }],
      ['DELETE', ''],
      ['POST', '/run'],
      ['POST', '/pause'],
      ['POST', '/resume'],
    ] as const) {
      expect(await ask(method, `/routines/${routine}${path}`, body, other.token)).toMatchObject({ status: 403 });
    }
    expect(await server.events(`routine-${routine}`)).toHaveLength(before.length);
    await eventually(
      async () => (await ask('GET', `/routines/${routine}`, undefined, other.token)).status === 200 || null,
    );
  });

  it('P13 an old token cannot make its successor do what it may not itself', async () => {
    const routine = await create();
    const rotated = await operate('POST', `/tokens/${nightly.id}/rotate`, { overlap_seconds: 3600 });
    expect(await ask('PATCH', `/routines/${routine}`, { name: 'Still mine' })).toMatchObject({ status: 200 });
    await operate('PATCH', `/tokens/${nightly.id}`, { scopes: ['routines:write'] });
    expect(await ask('PATCH', `/routines/${routine}`, { name: 'No more' })).toMatchObject({ status: 403 });
    await operate('DELETE', `/tokens/${String(rotated.body['id'])}`);
  });

  it('P13 an operator binds a routine to a token that it could hand over, and to no other', async () => {
    const operator = await createToken(server, { catalogue: 'writ', scopes: ['operate'] });
    const small = await createToken(server, { catalogue: 'comma', scopes: ['reports:read'] });
    const bind = (token: string, more: object = {}): Promise<Answer> =>
      ask('POST', '/admin/routines', { ...define(more), token }, operator.token);
    const steps = [{ operation: 'list_reports', input: {} }];
    const bound = await bind(small.id, { steps });
    expect(bound).toMatchObject({ status: 201, body: { catalogue: 'comma', lineage: small.id } });
    clock.advance(MINUTE_MS);
    expect(await ended(String(bound.body['id']))).toMatchObject({ status: 'succeeded', token: { id: small.id } });
    // Of a product that has no scope for routines: its tokens make none, an operator does.
    const toado = await createToken(server, { catalogue: 'toado', scopes: ['read'] });
    expect(await bind(toado.id, { steps: [{ operation: 'who_am_i', input: {} }] })).toMatchObject({ status: 201 });
    expect(await ask('GET', '/routines', undefined, toado.token)).toMatchObject({
      status: 403,
      body: { missing_scope: 'routines:write' },
    });
    // A token of Writ's with scopes the operator lacks, and one with a higher limit.
    const giver = await createToken(server, { catalogue: 'writ', scopes: ['tokens:write'] });
    expect(await bind(giver.id, { steps: [{ operation: 'list_tokens', input: {} }] })).toMatchObject({ status: 403 });
    const fast = await createToken(server, {
      catalogue: 'comma',
      scopes: ['reports:read'],
      limits: { reads: { per_minute: 601 } },
    });
    expect(await bind(fast.id, { steps })).toMatchObject({ status: 403 });
    for (const { id } of [small, toado]) await operate('DELETE', `/tokens/${id}`);
  });

  it('P13 an operator binds one to another token: it resumes, and each run names the token it had', async () => {
    const steps = [{ operation: 'list_reports', input: {} }];
    const routine = await create({ steps, schedule: { cron: '@yearly', time_zone: 'UTC' } });
    const path = `/admin/routines/${routine}`;
    await ask('POST', `/routines/${routine}/run`);
    await withStatus(routine, 'succeeded');
    await operate('DELETE', `/tokens/${nightly.id}`);
    expect(await paused(routine)).toMatchObject({ pause: { reason: 'token_revoked' } });

    const heir = await createToken(server, { catalogue: 'comma', scopes: SCOPES, name: 'heir' });
    const toado = await createToken(server, { catalogue: 'toado', scopes: ['read'] });
    const operator = await createToken(server, { catalogue: 'writ', scopes: ['operate'] });
    const fast = await createToken(server, {
      catalogue: 'comma',
      scopes: SCOPES,
      limits: { reads: { per_minute: 601 } },
    });
    const bind = (token: string, by: string, more: object = {}): Promise<Answer> =>
      ask('PATCH', path, { token, ...more }, by);
    const before = await server.events(`routine-${routine}`);
    // An agent has no way to say it, not even on a routine of its own; nobody binds to what goes beyond theirs, is dead,
    // is nowhere or cannot do the steps.
    const own = await create({ steps }, heir.token);
    expect(await ask('PATCH', `/routines/${own}`, { token: toado.id }, heir.token)).toMatchObject({ status: 422 });
    expect(await ask('PATCH', `/routines/${routine}`, { token: heir.id }, heir.token)).toMatchObject({ status: 422 });
    expect(await bind(heir.id, heir.token)).toMatchObject({ status: 403, body: { missing_scope: 'operate' } });
    expect(await bind(fast.id, operator.token)).toMatchObject({ status: 403 });
    expect(await bind(nightly.id, operator.token)).toMatchObject({ status: 409 });
    expect(await bind(routine, operator.token)).toMatchObject({ status: 404 });
    expect(await bind(toado.id, operator.token)).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'steps.0.operation', message: 'is no operation of toado' }] },
    });
    expect(await server.events(`routine-${routine}`)).toHaveLength(before.length);

    const bound = await bind(heir.id, operator.token);
    expect(bound).toMatchObject({ status: 200, body: { status: 'paused', lineage: heir.id, catalogue: 'comma' } });
    const headers = { 'x-log-position': String(bound.headers.get('x-log-position')) };
    const read = await server.call('GET', `/api/v1/routines/${routine}`, { token: heir.token, headers });
    expect(read.body).toEqual(bound.body);
    expect(await ask('POST', `/routines/${routine}/resume`, undefined, heir.token)).toMatchObject({ status: 200 });
    expect(await ask('POST', `/routines/${routine}/run`, undefined, heir.token)).toMatchObject({ status: 202 });
    const runs = await eventually(async () => {
      const found = await runsOf(server, routine);
      return found.every(({ status }) => status === 'succeeded') && found.length === 2 ? found : null;
    });
    expect(runs.map(({ token }) => token)).toEqual([
      { id: heir.id, label: 'heir' },
      { id: nightly.id, label: 'nightly' },
    ]);
    expect(runs.map((run) => run.steps.map(({ token }) => token))).toEqual([[heir.id], [nightly.id]]);
    // The heir is shown what was done under it; that of another token is the operator's to see.
    const seen = (await ask('GET', `/routines/${routine}/runs`, undefined, heir.token)).body['items'] as Body[];
    expect(seen.map(({ id }) => id)).toEqual([runs[0]!.id]);
    const earlier = await ask('GET', `/routines/${routine}/runs/${runs[1]!.id}`, undefined, heir.token);
    expect(earlier.status).toBe(404);

    // To another product's token, with steps that are its; bound away, its old token steers it no more.
    const other = { steps: [{ operation: 'list_tickets', input: {} }] };
    expect(await bind(toado.id, operator.token, other)).toMatchObject({
      status: 200,
      body: { status: 'active', lineage: toado.id, catalogue: 'toado', steps: other.steps },
    });
    expect((await ask('POST', `/routines/${routine}/run`, undefined, heir.token)).status).toBe(404);
    const run = await ask('POST', `${path}/run`, undefined, operator.token);
    expect(run).toMatchObject({ status: 202, body: { token: { id: toado.id } } });
    const last = await eventually(
      async () => (await runsOf(server, routine)).find(({ id, ended_at }) => id === run.body['id'] && ended_at) ?? null,
    );
    expect(last).toMatchObject({ status: 'succeeded', steps: [{ operation: 'list_tickets', token: toado.id }] });
    await operate('DELETE', `/tokens/${heir.id}`);
    await operate('DELETE', `/tokens/${toado.id}`);
    expect(await paused(routine)).toMatchObject({ pause: { reason: 'token_revoked' }, lineage: toado.id });
  });

  it.each<[string, object, string]>([
    ['a cron that never fires', { schedule: { cron: '0 0 30 2 *', time_zone: 'UTC' } }, 'schedule.cron'],
    ['a cron of six fields', { schedule: { cron: '* * * * * *', time_zone: 'UTC' } }, 'schedule.cron'],
    ['a date for a cron', { schedule: { cron: '2030-01-01T00:00:00', time_zone: 'UTC' } }, 'schedule.cron'],
    ['a time zone that is none', { schedule: { cron: '@daily', time_zone: 'Europe/Nowhere' } }, 'schedule.time_zone'],
    ['no steps', { steps: [] }, 'steps'],
    [
      'too many steps',
      { steps: Array.from({ length: 21 }, () => ({ operation: 'list_reports', input: {} })) },
      'steps',
    ],
    ['an operation that is none', { steps: [{ operation: 'rm_rf', input: {} }] }, 'steps.0.operation'],
    ['another product’s operation', { steps: [{ operation: 'list_tokens', input: {} }] }, 'steps.0.operation'],
    ['a step that runs a routine', { steps: [{ operation: 'run_routine', input: {} }] }, 'steps.0.operation'],
    ['a step that makes a routine', { steps: [{ operation: 'create_routine', input: {} }] }, 'steps.0.operation'],
    [
      'input its operation would refuse',
      { steps: [{ operation: 'create_report', input: { body: 1 } }] },
      'steps.0.input.title',
    ],
    [
      'a field its operation does not know',
      { steps: [{ operation: 'list_reports', input: { evil: true } }] },
      'steps.0.input.evil',
    ],
    [
      'a reference to a later step',
      { steps: [{ operation: 'get_report', input: { id: { $from: 'steps.0.id' } } }] },
      'steps.0.input.id',
    ],
    [
      'a reference that is code',
      { steps: [{ operation: 'get_report', input: { id: { $from: 'run.slot + 1' } } }] },
      'steps.0.input.id',
    ],
    [
      'a reference to what is not answered',
      {
        steps: [
          { operation: 'list_reports', input: {} },
          { operation: 'get_report', input: { id: { $from: 'steps.0.items.0.idd' } } },
        ],
      },
      'steps.1.input.id',
    ],
  ])('P12 %s is refused, and nothing is made', async (_, more, field) => {
    const before = await made();
    const answer = await ask('POST', '/routines', define(more));
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid' } });
    expect((answer.body['errors'] as Body[]).map((error) => error['field'])).toContain(field);
    expect(await made()).toBe(before);
  });

  it('P5 a step that would show a secret is none, and none holds one', async () => {
    const giver = await createToken(server, { catalogue: 'writ', scopes: ['tokens:write'] });
    const step = { operation: 'create_token', input: { catalogue: 'comma', name: 'x', scopes: ['reports:read'] } };
    const bound = await operate('POST', '/admin/routines', { ...define({ steps: [step] }), token: giver.id });
    expect(bound).toMatchObject({ status: 422, body: { errors: [{ field: 'steps.0.operation' }] } });
    const leak = [{ operation: 'create_report', input: { title: nightly.token } }];
    expect(await ask('POST', '/routines', define({ steps: leak }))).toMatchObject({
      status: 422,
      body: { code: 'contains_secret' },
    });
  });
});
