import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ANY_ROUTINES_WRITE, expandScopes, unqualify } from '../../libs/catalogue/catalogue.ts';
import { loadCatalogues } from '../../libs/catalogue/load-catalogues.ts';
import { isTool } from '../../libs/mcp/tools.ts';
import { inputSchema } from '../../libs/operation/input-schema.ts';
import type { DeclaredOperation, OperationSpec } from '../../libs/operation/operation.ts';
import { Operations } from '../../libs/operation/operations.ts';
import { isProblem } from '../../libs/problem/problem.ts';
import { canBeStep } from '../../libs/routines/check-steps.ts';
import { RoutineFace } from '../../libs/routines/runner/routine-face.ts';
import { parseToken, tokenDigest } from '../../libs/tokens/token-format.ts';
import { post } from '../support/mcp.ts';
import { eventually, runsOf } from '../support/routines.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';
import { makeProject, type MadeProject } from '../support/toado.ts';

jest.setTimeout(300_000);

/** What a caller is told, whatever face it came by. */
type Decision = 'let in' | 'who are you' | `lacks ${string}` | 'forbidden' | 'not there' | 'too many' | 'malformed';
type Face = 'rest' | 'mcp' | 'routine';
type Input = Readonly<Record<string, unknown>>;

const CATALOGUES = loadCatalogues(null).all;
const NOWHERE = '01J9ZK00000000000000000000';
/** A token is refused 60 times a minute before it hears nothing else: each is asked a few operations only. */
const OPERATIONS_A_TOKEN = 15;

function decided(status: number, { missing_scope: scope }: { readonly missing_scope?: unknown }): Decision {
  if (status === 401) return 'who are you';
  if (status === 403) return scope === undefined ? 'forbidden' : `lacks ${String(scope)}`;
  if (status === 404) return 'not there';
  if (status === 429) return 'too many';
  if (status === 400 || status === 422) return 'malformed';
  // A conflict tells of the thing: who hears of it was let in.
  if (status < 300 || status === 409 || status === 412) return 'let in';
  throw new Error(`answered ${status}`);
}

describe('every operation, for every caller, on every face', () => {
  let server: TestServer;
  let operations: readonly DeclaredOperation[];
  let here: Readonly<Record<string, string>>;
  let places: { readonly inside: MadeProject; readonly sibling: MadeProject; readonly elsewhere: MadeProject };

  beforeAll(async () => {
    server = await startServer();
    operations = server.app.get(Operations).all.filter(({ spec }) => isTool(spec) && canBeStep(spec));
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
      async routine(spec, token, input) {
        const id = token === null ? null : (parseToken(token)?.id ?? null);
        const under = { id: id ?? NOWHERE, digest: tokenDigest(token ?? '') };
        const declared = operations.find((one) => one.spec === spec)!;
        const run = `${performance.now()}`;
        const call = { declared, under, input, routine: NOWHERE, run, step: 0, logPosition: null };
        const { result } = await server.app.get(RoutineFace).call(call);
        return isProblem(result) ? decided(result.status, result) : 'let in';
      },
    };

  /** Asks every operation that has an expectation on all faces; each token for a few operations only. */
  async function expectDecisions(
    tokenFor: (spec: OperationSpec) => Promise<string | null>,
    expected: (spec: OperationSpec) => Decision | readonly Decision[] | null,
    inputOf: (spec: OperationSpec) => Input = inputFor,
  ): Promise<void> {
    const tokens = new Map<string, { readonly token: string | null; asked: number }>();
    const wrong: unknown[] = [];
    let asked = 0;
    for (const { spec } of operations) {
      const allowed = expected(spec);
      if (allowed === null) continue;
      const key = String(spec.scope);
      let shared = tokens.get(key);
      if (shared === undefined || shared.asked >= OPERATIONS_A_TOKEN) {
        tokens.set(key, (shared = { token: await tokenFor(spec), asked: 0 }));
      }
      shared.asked++;
      const decisions: Record<string, Decision> = {};
      for (const face of ['rest', 'mcp', 'routine'] as const) {
        decisions[face] = await faces[face](spec, shared.token, inputOf(spec));
      }
      asked++;
      const one = typeof allowed === 'string' ? [allowed] : allowed;
      if (!Object.values(decisions).every((decision) => one.includes(decision))) {
        wrong.push({ operation: spec.name, expected: allowed, ...decisions });
      }
    }
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(0);
  }

  /**
   * Asks by runs of routines as people make them: one of a single step for each operation, bound to the token, run now,
   * and what its step was told read from the run.
   */
  async function expectRuns(
    tokenFor: (spec: OperationSpec) => Promise<string>,
    expected: (spec: OperationSpec) => Decision | readonly Decision[] | null,
  ): Promise<void> {
    const operator = await token('writ', scopesOf('writ'));
    const tokens = new Map<string, { readonly id: string; asked: number }>();
    const opened: { readonly routine: string; readonly operation: string; readonly allowed: readonly Decision[] }[] =
      [];
    for (const { spec } of operations) {
      const allowed = expected(spec);
      if (allowed === null) continue;
      const key = String(spec.scope);
      let shared = tokens.get(key);
      if (shared === undefined || shared.asked >= OPERATIONS_A_TOKEN) {
        tokens.set(key, (shared = { id: parseToken(await tokenFor(spec))?.id ?? NOWHERE, asked: 0 }));
      }
      shared.asked++;
      const definition = {
        name: spec.name,
        schedule: { cron: '@yearly', time_zone: 'UTC' },
        steps: [{ operation: spec.name, input: inputFor(spec) }],
        token: shared.id,
      };
      const made = await server.call('POST', '/api/v1/admin/routines', { token: operator, body: definition });
      expect([spec.name, made.status, made.body['errors']]).toEqual([spec.name, 201, undefined]);
      const routine = String(made.body['id']);
      const run = await server.call('POST', `/api/v1/admin/routines/${routine}/run`, { token: operator });
      expect([spec.name, run.status]).toEqual([spec.name, 202]);
      opened.push({ routine, operation: spec.name, allowed: typeof allowed === 'string' ? [allowed] : allowed });
    }
    const wrong: unknown[] = [];
    for (const { routine, operation, allowed } of opened) {
      const [step] = await eventually(async () => {
        const [run] = await runsOf(server, routine);
        return run !== undefined && run['ended_at'] !== null && run.steps;
      });
      const missing = /lacks the scope (\S+)\.$/.exec(String(step?.['reason']))?.[1];
      const decision = decided(Number(step?.['status']), { missing_scope: missing });
      if (!allowed.includes(decision)) wrong.push({ operation, allowed, decision, step });
    }
    expect(wrong).toEqual([]);
    expect(opened.length).toBeGreaterThan(0);
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
  const token = async (catalogue: string, scopes: readonly string[], more: object = {}): Promise<string> =>
    (await createToken(server, { catalogue, scopes, limits: PLENTY, ...more })).token;
  const wholeToken =
    (more: object = {}) =>
    (spec: OperationSpec) =>
      token(catalogueOf(spec), scopesOf(catalogueOf(spec)), more);
  const LET_IN: readonly Decision[] = ['let in', 'not there', 'malformed', 'forbidden'];

  it('P7 no token', () =>
    expectDecisions(
      async () => null,
      () => 'who are you',
    ));

  const othersThan = (spec: OperationSpec): string[] =>
    scopesOf(catalogueOf(spec)).filter((scope) => !grants(catalogueOf(spec), [scope]).includes(spec.scope ?? ''));
  const lacking = (spec: OperationSpec): Promise<string> => token(catalogueOf(spec), othersThan(spec));
  const lacksIt = (spec: OperationSpec): Decision | null =>
    spec.scope === null || othersThan(spec).length === 0 ? null : `lacks ${unqualify(spec.scope)}`;

  it('P7 a token that lacks the scope', () => expectDecisions(lacking, lacksIt));

  it('P7 a token that lacks the scope, in runs of routines', () => expectRuns(lacking, lacksIt));

  it('P7 a token of another product', () =>
    expectDecisions(
      (spec) =>
        token(
          catalogueOf(spec) === 'toado' ? 'comma' : 'toado',
          catalogueOf(spec) === 'toado' ? ['reports:read'] : ['read'],
        ),
      ({ scope }) => (scope === null ? null : `lacks ${unqualify(scope)}`),
    ));

  it('P7 a scope that includes the one asked for', () =>
    expectDecisions(
      (spec) => token(catalogueOf(spec), [implying(spec)!]),
      (spec) => (implying(spec) === null ? null : LET_IN),
    ));
  const implying = (spec: OperationSpec): string | null =>
    scopesOf(catalogueOf(spec)).find(
      (scope) =>
        `${catalogueOf(spec)}/${scope}` !== spec.scope && grants(catalogueOf(spec), [scope]).includes(spec.scope ?? ''),
    ) ?? null;

  it('P7 P12 input that is malformed', () =>
    expectDecisions(
      wholeToken(),
      () => 'malformed',
      (spec) => ({ ...inputFor(spec), no_such_field: 'x' }),
    ));

  it('P7 P2 a token that is revoked', () =>
    expectDecisions(
      async (spec) => {
        const { id, token: dead } = await createToken(server, {
          catalogue: catalogueOf(spec),
          scopes: scopesOf(catalogueOf(spec)),
        });
        await server.call('DELETE', `/api/v1/tokens/${id}`, { token: server.operator });
        return dead;
      },
      () => 'who are you',
    ));

  it('P7 a token that has expired', async () => {
    const expires_at = new Date(Date.now() + 20_000).toISOString();
    const made = new Map<string, string>();
    for (const { name } of CATALOGUES) made.set(name, await token(name, scopesOf(name), { expires_at }));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(expires_at) - Date.now() + 50)));
    await expectDecisions(
      async (spec) => made.get(catalogueOf(spec))!,
      () => ['who are you', 'too many'],
    );
  });

  it('P7 P3 a token whose limits are used up', () =>
    expectDecisions(
      async (spec) => {
        const limits = { reads: { per_minute: 1 }, writes: { per_minute: 1 } };
        const tight = await token(catalogueOf(spec), scopesOf(catalogueOf(spec)), { limits });
        const ofCost = operations.filter((one) => catalogueOf(one.spec) === catalogueOf(spec));
        for (const budget of ['reads', 'writes'] as const) {
          const one = ofCost.find(({ spec: { cost } }) => cost[budget] === 1)!;
          await faces.rest(one.spec, tight, { ...inputFor(one.spec), no_such_field: 'x' });
        }
        return tight;
      },
      ({ cost }) => (cost.reads + cost.writes > 0 ? 'too many' : null),
    ));

  describe('P7 P8 a token that is pinned', () => {
    const inToado = (spec: OperationSpec): boolean => spec.catalogue === 'toado';
    const touches = (spec: OperationSpec): boolean =>
      Object.values(inputFor(spec)).some((value) => Object.values(here).includes(String(value)));
    const pinnedTo = ({ company, project }: MadeProject) =>
      wholeToken({ restrict: { companies: [company], projects: [project] } });

    const insideIs = (spec: OperationSpec): Decision | null => (inToado(spec) && touches(spec) ? 'let in' : null);
    const outsideIs =
      (place: 'sibling' | 'elsewhere') =>
      (spec: OperationSpec): Decision | null => {
        const ofCompany = spec.http.path.includes('/companies/');
        if (!inToado(spec) || !touches(spec) || (ofCompany && place === 'sibling')) return null;
        // These answer for each ticket, one by one.
        if (spec.name.startsWith('bulk_')) return 'let in';
        if (spec.effect !== 'reads') return 'forbidden';
        return spec.http.path.includes(':') ? 'not there' : 'let in';
      };

    it('to where the thing lies', () => expectDecisions(pinnedTo(places.inside), insideIs));

    it('to where the thing lies, in runs of routines', () => expectRuns(pinnedTo(places.inside), insideIs));

    it.each(['sibling', 'elsewhere'] as const)('to another place (%s)', (place) =>
      expectDecisions(pinnedTo(places[place]), outsideIs(place)),
    );

    it.each(['sibling', 'elsewhere'] as const)('to another place (%s), in runs of routines', (place) =>
      expectRuns(pinnedTo(places[place]), outsideIs(place)),
    );
  });
});
