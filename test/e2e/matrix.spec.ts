import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ANY_ROUTINES_WRITE, expandScopes, unqualify } from '../../libs/catalogue/catalogue.ts';
import { loadCatalogues } from '../../libs/catalogue/load-catalogues.ts';
import { isTool } from '../../libs/mcp/tools.ts';
import { inputSchema } from '../../libs/operation/input-schema.ts';
import type { OperationSpec } from '../../libs/operation/operation.ts';
import { Operations } from '../../libs/operation/operations.ts';
import { canBeStep } from '../../libs/routines/check-steps.ts';
import { type Decision, decided } from '../support/decision.ts';
import { post } from '../support/mcp.ts';
import { eventually, MINUTE_MS } from '../support/routines.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';
import { type Caller, type StepRoutine, StepRoutines, type StepRun } from '../support/step-routines.ts';
import { makeProject, type MadeProject } from '../support/toado.ts';

jest.setTimeout(300_000);

type Face = 'rest' | 'mcp';
type Input = Readonly<Record<string, unknown>>;
type Expected = (spec: OperationSpec) => Decision | readonly Decision[] | null;

/** One operation to be asked for by one caller. */
interface Case {
  readonly spec: OperationSpec;
  readonly caller: Caller;
  readonly allowed: readonly Decision[];
}

const CATALOGUES = loadCatalogues(null).all;
const NOWHERE = '01J9ZK00000000000000000000';
/** A token is refused 60 times a minute before it hears nothing else: each is asked a few operations only. */
const OPERATIONS_A_TOKEN = 8;

describe('every operation, for every caller, on every face', () => {
  let server: TestServer;
  let operations: readonly OperationSpec[];
  let operator: Caller;
  let routines: StepRoutines;
  /** What routines are due by runs ahead of the gate's clock by so much. */
  let aheadMs = 0;
  let here: Readonly<Record<string, string>>;
  let places: { readonly inside: MadeProject; readonly sibling: MadeProject; readonly elsewhere: MadeProject };

  beforeAll(async () => {
    server = await startServer({}, () => Date.now() + aheadMs);
    const all = server.app.get(Operations).all.map(({ spec }) => spec);
    operations = all.filter((spec) => isTool(spec) && canBeStep(spec));
    operator = await caller('writ', scopesOf('writ'));
    routines = new StepRoutines(server, operator.token);
    const inside = await makeProject(server);
    places = { inside, sibling: await makeProject(server, inside.company), elsewhere: await makeProject(server) };
    const scopes = ['tickets:write', 'tickets:assign'];
    const { token } = await createToken(server, { catalogue: 'toado', scopes });
    const body = { project: inside.project, title: 'a ticket' };
    const ticket = String((await server.call('POST', '/api/v1/tickets', { token, body })).body['id']);
    const { company, project, columns } = inside;
    const upload = await fetch(`${server.url}/api/v1/admin/tickets/${ticket}/assets?name=a.txt`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.operator}` },
      body: 'a text',
    });
    const asset = String(((await upload.json()) as { id: unknown }).id);
    const named = { kind: 'report', period: '2026-11', projection: 'toado', person: server.parts.founded.owner.id };
    here = { company, project, ticket, asset, column: columns[0] ?? '', ...named };
    const head = String(await server.log.head());
    await server.call('GET', '/api/v1/tickets', { token, headers: { 'x-log-position': head } });
    await server.call('GET', '/api/v1/members', { token, headers: { 'x-log-position': head } });
  });
  afterAll(() => server.close());

  /** What a field means, by its name: a new one has to be taught here. */
  const VALUES: Readonly<Record<string, () => unknown>> = {
    name: () => 'a name',
    title: () => 'a title',
    text: () => 'a text',
    body: () => 'a body',
    q: () => 'ticket',
    branch: () => 'main',
    x: () => 0.5,
    y: () => 0.5,
    position: () => 0,
    from: () => 0,
    by: () => 'hour',
    operation: () => 'who_am_i',
    catalogue: () => 'comma',
    scopes: () => ['reports:read'],
    schedule: () => ({ cron: '0 0 1 1 *', time_zone: 'UTC' }),
    steps: () => [{ operation: 'who_am_i', input: {} }],
    assignees: () => [here['person']],
    assign: () => [here['person']],
    unassign: () => [here['person']],
    tickets: () => [here['ticket']],
    person: () => here['person'],
    project: () => here['project'],
    company: () => here['company'],
    column: () => here['column'],
  };
  const THINGS: Readonly<Record<string, string>> = {
    companies: 'company',
    projects: 'project',
    columns: 'column',
    tickets: 'ticket',
    assets: 'asset',
    people: 'person',
    digests: 'period',
    who: 'kind',
    projections: 'projection',
  };

  /** The least that an operation takes: what is there where Toado knows such a thing, else what is nowhere. */
  function inputFor({ http: { path }, input: InputClass, name }: OperationSpec): Input {
    const segments = path.split('/');
    const inPath = segments.flatMap((segment, index) =>
      segment.startsWith(':') ? [[segment.slice(1), THINGS[segments[index - 1] ?? '']] as const] : [],
    );
    const known = inPath.map(([field, thing]) => [field, (thing === undefined ? undefined : here[thing]) ?? NOWHERE]);
    const given = Object.fromEntries(known) as Record<string, unknown>;
    for (const field of inputSchema(InputClass).required) {
      if (field in given) continue;
      const value = VALUES[field];
      given[field] = value === undefined ? NOWHERE : value();
    }
    // Of some, one of several optional fields is needed.
    if (name === 'record_branch') given['branch'] = 'main';
    if (name === 'bulk_assign_tickets') given['assign'] = [here['person']];
    return given;
  }

  const faces: Readonly<Record<Face, (spec: OperationSpec, token: string | null, input: Input) => Promise<Decision>>> =
    {
      async rest({ http: { method, path } }, token, input) {
        const inPath = [...path.matchAll(/:(\w+)/g)].map(([, field]) => field!);
        const filled = inPath.reduce((url, field) => url.replace(`:${field}`, String(input[field])), path);
        const rest = Object.fromEntries(Object.entries(input).filter(([field]) => !inPath.includes(field)));
        const hasBody = method === 'post' || method === 'patch';
        const query = new URLSearchParams(rest as Record<string, string>);
        const how = { token, ...(hasBody ? { body: rest } : {}) };
        const { status, body } = await server.call(method.toUpperCase(), hasBody ? filled : `${filled}?${query}`, how);
        return decided(status, body);
      },
      async mcp({ name }, token, input) {
        const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: input } };
        const { status, json } = await post(server.url, token, message);
        if (status !== 200) return decided(status, json);
        const { _meta: meta } = json['result'] as { readonly _meta: Readonly<Record<string, unknown>> };
        const problem = (meta['writ/problem'] ?? { status: 200 }) as {
          readonly status: number;
          readonly missing_scope?: string;
        };
        return decided(problem.status, problem);
      },
    };

  /** The operations that have an expectation, each with its caller; a caller for a few of one scope only. */
  async function casesOf(callerFor: (spec: OperationSpec) => Promise<Caller>, expected: Expected): Promise<Case[]> {
    const callers = new Map<string, { readonly caller: Caller; asked: number }>();
    const cases: Case[] = [];
    for (const spec of operations) {
      const allowed = expected(spec);
      if (allowed === null) continue;
      const key = String(spec.scope);
      let shared = callers.get(key);
      if (shared === undefined || shared.asked >= OPERATIONS_A_TOKEN) {
        callers.set(key, (shared = { caller: await callerFor(spec), asked: 0 }));
      }
      shared.asked++;
      cases.push({ spec, caller: shared.caller, allowed: typeof allowed === 'string' ? [allowed] : allowed });
    }
    return cases;
  }

  const callersOf = (cases: readonly Case[]): Caller[] => [...new Set(cases.map(({ caller: one }) => one))];

  async function decisionsOfCalls(spec: OperationSpec, token: string | null, input: Input) {
    return { rest: await faces.rest(spec, token, input), mcp: await faces.mcp(spec, token, input) };
  }

  /** Every face tells the same, and what it may. */
  function expectAgreement(
    all: readonly { readonly operation: string; readonly allowed: readonly Decision[]; readonly told: object }[],
  ): void {
    const agrees = ({ told, allowed }: (typeof all)[number]): boolean => {
      const [first, ...others] = Object.values(told) as Decision[];
      return allowed.includes(first!) && others.every((decision) => decision === first);
    };
    expect(all.length).toBeGreaterThan(0);
    expect(all.filter((one) => !agrees(one))).toEqual([]);
  }

  /** Asks by calls only. */
  async function expectOfCalls(cases: readonly Case[]): Promise<void> {
    const all = [];
    for (const { spec, caller: by, allowed } of cases) {
      all.push({ operation: spec.name, allowed, told: await decisionsOfCalls(spec, by.token, inputFor(spec)) });
    }
    expectAgreement(all);
  }

  /**
   * Asks every operation that has an expectation on all faces: by calls, and by the run of a routine of that one step
   * (a step that is refused ends its run), whose history is read once all are under way.
   */
  async function expectDecisions(
    callerFor: (spec: OperationSpec) => Promise<Caller>,
    expected: Expected,
    { inputOf = inputFor, stepOf = inputOf }: Readonly<Record<string, (spec: OperationSpec) => Input>> = {},
  ): Promise<void> {
    const asked = [];
    for (const one of await casesOf(callerFor, expected)) {
      const { spec, caller: by } = one;
      const calls = await decisionsOfCalls(spec, by.token, inputOf(spec));
      const run = await routines.run(await routines.make(spec.name, stepOf(spec), by));
      asked.push({ ...one, calls, run });
    }
    const all = [];
    for (const { spec, allowed, calls, run } of asked) {
      all.push({ operation: spec.name, allowed, told: { ...calls, routine: await routines.decision(run) } });
    }
    expectAgreement(all);
  }

  const grants = (catalogue: string, scopes: readonly string[]): readonly string[] =>
    expandScopes(
      CATALOGUES.find(({ name }) => name === catalogue)!,
      scopes,
    );
  const catalogueOf = ({ catalogue, scope }: OperationSpec): string =>
    catalogue ?? (scope === ANY_ROUTINES_WRITE ? 'comma' : 'toado');
  const scopesOf = (catalogue: string): string[] =>
    Object.keys(CATALOGUES.find(({ name }) => name === catalogue)!.scopes);
  const PLENTY = { reads: { per_minute: 5_000 }, writes: { per_minute: 5_000 } };
  async function caller(catalogue: string, scopes: readonly string[], more: object = {}): Promise<Caller> {
    return { scopes, ...(await createToken(server, { catalogue, scopes, limits: PLENTY, ...more })) };
  }
  const wholeCaller =
    (more: object = {}) =>
    (spec: OperationSpec) =>
      caller(catalogueOf(spec), scopesOf(catalogueOf(spec)), more);
  const LET_IN: readonly Decision[] = ['let in', 'not there', 'malformed', 'forbidden'];

  it('P7 no token: calls are refused, and so is the making of a routine', async () => {
    const all = [];
    for (const spec of operations) {
      const calls = await decisionsOfCalls(spec, null, inputFor(spec));
      const { status, body } = await routines.define(spec.name, inputFor(spec), null);
      const told = { ...calls, routine: decided(status, body) };
      all.push({ operation: spec.name, allowed: ['who are you' as const], told });
    }
    expectAgreement(all);
  });

  it('P7 no token: nobody binds a routine to a token that is none', async () => {
    expect(await routines.define('who_am_i', {}, operator.token, NOWHERE)).toMatchObject({ status: 404 });
  });

  /** Refused as it is made: bound to the caller, and by the caller where that may make routines at all. */
  async function expectNoRoutine(spec: OperationSpec, input: Input, by: Caller, refused: object): Promise<void> {
    expect(await routines.define(spec.name, input, operator.token, by.id)).toMatchObject(refused);
    if (!by.scopes.includes('routines:write')) return;
    expect(await routines.define(spec.name, input, by.token)).toMatchObject(refused);
  }

  const othersThan = (spec: OperationSpec): string[] =>
    scopesOf(catalogueOf(spec)).filter((scope) => !grants(catalogueOf(spec), [scope]).includes(spec.scope ?? ''));

  it('P7 a token that lacks the scope', () =>
    expectDecisions(
      (spec) => caller(catalogueOf(spec), othersThan(spec)),
      (spec) => (spec.scope === null || othersThan(spec).length === 0 ? null : `lacks ${unqualify(spec.scope)}`),
    ));

  describe.each(CATALOGUES.map(({ name }) => name))('a token of another product (%s)', (catalogue) => {
    const foreign: Expected = ({ scope, ...spec }) =>
      scope === null || spec.catalogue === catalogue ? null : `lacks ${unqualify(scope)}`;

    it('P7 is refused its calls', async () =>
      expectOfCalls(await casesOf(() => caller(catalogue, scopesOf(catalogue)), foreign)));

    it('P7 has no routine of such a step: neither by itself nor bound to it', async () => {
      const whole = await caller(catalogue, scopesOf(catalogue));
      const errors = [{ field: 'steps.0.operation', message: `is no operation of ${catalogue}` }];
      for (const spec of operations.filter((one) => foreign(one) !== null)) {
        await expectNoRoutine(spec, inputFor(spec), whole, { status: 422, body: { code: 'invalid', errors } });
      }
    });
  });

  it('P7 a scope that includes the one asked for', () =>
    expectDecisions(
      (spec) => caller(catalogueOf(spec), [implying(spec)!]),
      (spec) => (implying(spec) === null ? null : LET_IN),
    ));
  const implying = (spec: OperationSpec): string | null =>
    scopesOf(catalogueOf(spec)).find(
      (scope) =>
        `${catalogueOf(spec)}/${scope}` !== spec.scope && grants(catalogueOf(spec), [scope]).includes(spec.scope ?? ''),
    ) ?? null;

  const malformed = (value: unknown) => (spec: OperationSpec) => ({ ...inputFor(spec), no_such_field: value });

  it('P7 P12 input that is malformed; of a step, by what a reference comes to', () =>
    expectDecisions(wholeCaller(), () => 'malformed', {
      inputOf: malformed('x'),
      stepOf: malformed({ $from: 'run.id' }),
    }));

  it('P7 P12 a step whose input is malformed as it stands is refused as its routine is made', async () => {
    const errors = [{ field: 'steps.0.input.no_such_field' }];
    for (const { spec, caller: by } of await casesOf(wholeCaller(), () => 'malformed')) {
      await expectNoRoutine(spec, malformed('x')(spec), by, { status: 422, body: { code: 'invalid', errors } });
    }
  });

  async function revokeAll(ids: readonly string[]): Promise<void> {
    for (const id of ids) await server.call('DELETE', `/api/v1/tokens/${id}`, { token: server.operator });
  }
  async function expireAll(ids: readonly string[]): Promise<void> {
    const atMs = Date.now() + 3_000;
    const body = { expires_at: new Date(atMs).toISOString() };
    for (const id of ids) {
      const changed = await server.call('PATCH', `/api/v1/tokens/${id}`, { token: server.operator, body });
      expect(changed.status).toBe(200);
    }
    await sleep(Math.max(0, atMs - Date.now()) + 50);
  }

  // Runs that wait for room are under way when their token dies.
  describe.each([
    ['revoked', 'token_revoked', revokeAll],
    ['expired', 'token_expired', expireAll],
  ] as const)('callers whose limits are used up, then %s', (_, death, end) => {
    let cases: Case[];
    let made: { readonly one: Case; readonly routine: StepRoutine }[];
    let runs: StepRun[];

    const isMetered = ({ spec: { cost } }: Case): boolean => cost.reads + cost.writes > 0;
    /** One that takes a read and one that takes a write. */
    const usingUp = ({ scopes }: Caller): OperationSpec[] =>
      (['reads', 'writes'] as const).map((budget) =>
        operations.find(({ cost, scope }) => cost[budget] === 1 && scopes.includes(unqualify(scope ?? '')))!,
      );

    beforeAll(async () => {
      const limits = { reads: { per_minute: 1 }, writes: { per_minute: 1 } };
      cases = await casesOf(wholeCaller({ limits }), () => 'who are you');
      made = [];
      for (const one of cases) {
        made.push({ one, routine: await routines.bind(one.spec.name, inputFor(one.spec), one.caller) });
      }
      for (const by of callersOf(cases)) {
        for (const spec of usingUp(by)) await faces.rest(spec, by.token, malformed('x')(spec));
      }
      runs = [];
      for (const { one, routine } of made) if (isMetered(one)) runs.push(await routines.run(routine));
    });

    it('P7 P3 are told to come again; the runs of their routines do so by themselves', async () => {
      await expectOfCalls(cases.filter(isMetered).map((one) => ({ ...one, allowed: ['too many'] })));
      for (const run of runs) {
        const history = await routines.history(run, 'deferred', 'succeeded', 'failed', 'stopped');
        expect(history).toMatchObject({ status: 'deferred', deferred: { step: 0, reason: 'throttled' }, steps: [] });
      }
    });

    it('P7 P2 are nobody, by calls and for routines, made, run or under way', async () => {
      await end(callersOf(cases).map(({ id }) => id));
      await expectOfCalls(cases);

      const detail = `The token it runs under is not alive (${death}).`;
      const dead = { status: 409, body: { code: 'conflict', detail } };
      for (const { one, routine } of made) {
        const { spec, caller: by } = one;
        const byItself = await routines.define(spec.name, inputFor(spec), by.token);
        expect(byItself).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
        expect(await routines.define(spec.name, inputFor(spec), operator.token, by.id)).toMatchObject(dead);
        expect(await routines.runNow(routine)).toMatchObject(dead);
      }

      aheadMs += MINUTE_MS + 1_000;
      for (const run of runs) {
        const { status, steps } = await routines.history(run, 'succeeded', 'failed', 'stopped');
        // The gate was asked and said 401, or was not asked any more.
        const letIn = steps.filter((step) => step['status'] !== 401);
        expect({ operation: run.operation, status, letIn }).toEqual({
          operation: run.operation,
          status: 'stopped',
          letIn: [],
        });
      }
      for (const { routine } of made) {
        expect(await eventually(() => routines.pause(routine))).toMatchObject({ reason: death });
      }
    });
  });

  describe('P7 P8 a token that is pinned', () => {
    const inToado = (spec: OperationSpec): boolean => spec.catalogue === 'toado';
    const touches = (spec: OperationSpec): boolean =>
      Object.values(inputFor(spec)).some((value) => Object.values(here).includes(String(value)));
    const pinnedTo = ({ company, project }: MadeProject) =>
      wholeCaller({ restrict: { companies: [company], projects: [project] } });

    it('to where the thing lies', () =>
      expectDecisions(pinnedTo(places.inside), (spec) => (inToado(spec) && touches(spec) ? 'let in' : null)));

    it.each(['sibling', 'elsewhere'] as const)('to another place (%s)', (place) =>
      expectDecisions(pinnedTo(places[place]), (spec) => {
        const ofCompany = spec.http.path.includes('/companies/');
        if (!inToado(spec) || !touches(spec) || (ofCompany && place === 'sibling')) return null;
        // These answer for each ticket, one by one.
        if (spec.name.startsWith('bulk_')) return 'let in';
        if (spec.effect !== 'reads') return 'forbidden';
        return spec.http.path.includes(':') ? 'not there' : 'let in';
      }),
    );
  });
});
