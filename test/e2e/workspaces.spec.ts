import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../../libs/ids/new-id.ts';
import { type Body, createToken, startServer, type TestServer } from '../support/server.ts';
import { makeProject } from '../support/toado.ts';
import { tokenElsewhere } from '../support/token-elsewhere.ts';

type Product = 'writ' | 'comma' | 'toado';

/** What of this workspace can be named, by the names that paths and bodies use below. */
type Known = Readonly<
  Record<'token' | 'request' | 'person' | 'company' | 'project' | 'column' | 'report' | 'ticket' | 'routine', string>
>;

/** Asked by a token of another workspace that holds every scope, and knows every id of this one. */
const SINGLE: readonly (readonly [Product, string, string, object?])[] = [
  ['writ', 'GET', 'tokens/:token'],
  ['writ', 'GET', 'tokens/:token?at=2100-01-01T00:00:00Z'],
  ['writ', 'GET', 'tokens/:token/history'],
  ['writ', 'GET', 'tokens/:token/replay'],
  ['writ', 'PATCH', 'tokens/:token', { name: 'mine' }],
  ['writ', 'POST', 'tokens/:token/rotate', {}],
  ['writ', 'POST', 'tokens/:token/suspend'],
  ['writ', 'POST', 'tokens/:token/resume'],
  ['writ', 'DELETE', 'tokens/:token'],
  ['writ', 'GET', 'requests/:request'],
  ['writ', 'GET', 'audit/export?token=:token'],
  ['writ', 'GET', 'audit/who/report/:report'],
  ['writ', 'PATCH', 'admin/people/:person', { name: 'Mine' }],
  ['writ', 'POST', 'admin/people/:person/revoke-tokens', {}],
  ['writ', 'POST', 'admin/companies/:company/members', { person: ':person' }],
  ['writ', 'PATCH', 'admin/companies/:company', { name: 'Mine' }],
  ['writ', 'PATCH', 'admin/companies/:company/limits', { reads: { per_minute: 1 } }],
  ['writ', 'PATCH', 'admin/projects/:project', { name: 'Mine' }],
  ['writ', 'POST', 'admin/projects/:project/columns', { name: 'Mine' }],
  ['comma', 'GET', 'reports/:report'],
  ['comma', 'GET', 'reports/:report/comments'],
  ['comma', 'GET', 'reports/:report/activity'],
  ['comma', 'PATCH', 'reports/:report', { title: 'Mine' }],
  ['comma', 'POST', 'reports/:report/comments', { body: 'Mine' }],
  ['comma', 'GET', 'routines/:routine/runs'],
  ['comma', 'POST', 'routines/:routine/run'],
  ['comma', 'DELETE', 'routines/:routine'],
  ['toado', 'GET', 'companies/:company'],
  ['toado', 'GET', 'projects/:project'],
  ['toado', 'GET', 'projects/:project/columns'],
  ['toado', 'GET', 'columns/:column'],
  ['toado', 'GET', 'tickets/:ticket'],
  ['toado', 'GET', 'tickets/:ticket/activity'],
  ['toado', 'PATCH', 'tickets/:ticket', { title: 'Mine' }],
  ['toado', 'POST', 'tickets', { project: ':project', title: 'Mine' }],
  ['toado', 'POST', 'tickets/:ticket/archive'],
];

/** Of each, nothing may be of this workspace. */
const LISTS: readonly (readonly [Product, string])[] = [
  ['writ', 'tokens'],
  ['writ', 'audit'],
  ['writ', 'audit/export'],
  ['writ', 'admin/people'],
  ['writ', 'routines'],
  ['writ', 'audit/counts?by=token'],
  ['comma', 'reports'],
  ['comma', 'routines'],
  ['toado', 'companies'],
  ['toado', 'projects'],
  ['toado', 'tickets'],
  ['toado', 'members'],
  ['toado', 'search?q=needle'],
];

describe('a workspace', () => {
  let server: TestServer;
  let known: Known;
  const elsewhere: Partial<Record<Product, string>> = {};

  const named = (text: string): string =>
    text.replaceAll(/:(\w+)/g, (whole, name) => known[name as keyof Known] ?? whole);
  const operate = (path: string, body: object, token = server.operator) =>
    server.call('POST', `/api/v1/${path}`, { token, body });
  /** Everything that has happened here, but for uses and what keeps count of them. */
  const history = async (): Promise<string[]> =>
    (await server.events()).filter(({ stream }) => !/^(usage-|journals|denials-)/.test(stream)).map(({ id }) => id);

  beforeAll(async () => {
    server = await startServer();
    const made = await makeProject(server);
    const comma = await createToken(server, {
      catalogue: 'comma',
      scopes: ['reports:read', 'reports:write', 'comments:write', 'routines:write'],
    });
    const toado = await createToken(server, { catalogue: 'toado', scopes: ['tickets:write'] });
    const report = await operate('reports', { title: 'needle' }, comma.token);
    const ticket = await operate('tickets', { project: made.project, title: 'needle' }, toado.token);
    const routine = await operate(
      'routines',
      {
        name: 'needle',
        schedule: { cron: '0 3 1 1 *', time_zone: 'UTC' },
        steps: [{ operation: 'list_reports', input: {} }],
      },
      comma.token,
    );
    const person = await operate('admin/people', { name: 'Ada' });
    const id = ({ body }: { readonly body: Body }): string => {
      if (typeof body['id'] !== 'string') throw new Error(`not made: ${JSON.stringify(body)}`);
      return body['id'];
    };
    known = {
      token: comma.id,
      request: report.headers.get('x-request-id')!,
      person: id(person),
      company: made.company,
      project: made.project,
      column: made.columns[0]!,
      report: id(report),
      ticket: id(ticket),
      routine: id(routine),
    };
    const workspace = newId();
    for (const product of ['writ', 'comma', 'toado'] as const) {
      elsewhere[product] = (await tokenElsewhere(server, workspace, product)).token;
    }
  }, 120_000);
  afterAll(() => server.close());

  // First: what is asked for below stands in the askers' own history.
  it.each(LISTS)('P13 shows nothing to a token of another: %s %s', async (product, path) => {
    const head = String(await server.log.head());
    const ask = async (token: string): Promise<string> => {
      const headers = { authorization: `Bearer ${token}`, 'x-log-position': head };
      return await (await fetch(`${server.url}/api/v1/${path}`, { headers })).text();
    };
    const told = await ask(elsewhere[product]!);
    const ids = Object.entries(known).filter(([, id]) => told.includes(id));
    expect({ path, ids, needle: told.includes('needle') }).toEqual({ path, ids: [], needle: false });
  });

  it.each(SINGLE)('P13 is not there for a token of another: %s %s %s', async (...[product, method, path, body]) => {
    const before = await history();
    const asked = { token: elsewhere[product]!, ...(body && { body: named(JSON.stringify(body)) }) };
    const answer = await server.call(method, `/api/v1/${named(path)}`, asked);
    expect([answer.status, answer.body['code']]).toEqual([404, 'not_found']);
    expect(await history()).toEqual(before);
  });
});
