import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createToken, startServer, type TestServer } from '../support/server.ts';
import { itemsOf, type MadeProject, makeProject } from '../support/toado.ts';

const NOWHERE = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const SCOPES = ['tickets:write', 'tickets:assign'];

/** P8: what a token pinned to a company, or to one project of it, sees and may write. */
describe('restricted tokens', () => {
  let server: TestServer;
  /** Two projects of one company, and one of another. */
  let own: MadeProject;
  let sister: MadeProject;
  let foreign: MadeProject;
  /** A ticket in each. */
  const tickets = { own: '', sister: '', foreign: '' };
  let person: string;
  let toProject: string;
  let toCompany: string;
  let everywhere: string;

  const mint = async (restrict: object): Promise<string> => {
    const limits = { reads: { per_minute: 1_000 }, writes: { per_minute: 1_000 } };
    return (await createToken(server, { catalogue: 'toado', scopes: SCOPES, restrict, limits })).token;
  };
  const ask = (token: string, method: string, path: string, body?: unknown) =>
    server.call(method, `/api/v1/${path}`, { token, body });

  beforeAll(async () => {
    server = await startServer();
    person = server.parts.founded.owner.id;
    own = await makeProject(server);
    sister = await makeProject(server, own.company);
    foreign = await makeProject(server);
    everywhere = await mint({});
    toProject = await mint({ companies: [own.company], projects: [own.project] });
    toCompany = await mint({ companies: [own.company] });
    for (const [where, { project }] of Object.entries({ own, sister, foreign })) {
      const made = await ask(everywhere, 'POST', 'tickets', {
        project,
        title: where,
        branch: 'b',
        assignees: [person],
      });
      tickets[where as keyof typeof tickets] = String(made.body['id']);
      await ask(everywhere, 'POST', `tickets/${made.body['id']}/comments`, { body: 'x' });
    }
    const headers = { 'x-log-position': String(await server.log.head()) };
    await server.call('GET', '/api/v1/tickets', { token: everywhere, headers });
  });
  afterAll(() => server.close());

  it.each([
    '',
    `?branch=b`,
    '?assignee=PERSON',
    '?company=FOREIGN',
    '?project=SISTER',
    '?column=SISTERS',
    '?archived=true',
  ])('P8 tickets%s are only its own', async (filter) => {
    const query = filter
      .replace('PERSON', person)
      .replace('FOREIGN', foreign.company)
      .replace('SISTERS', sister.columns[0]!)
      .replace('SISTER', sister.project);
    const seen = async (token: string) =>
      itemsOf(await ask(token, 'GET', `tickets${query}`)).map(({ title }) => String(title));
    const all = await seen(everywhere);
    expect(all).toHaveLength(
      filter === '?archived=true' ? 0 : filter.endsWith('=b') || filter === '' || filter.includes('PERSON') ? 3 : 1,
    );
    expect(await seen(toProject)).toEqual(all.filter((title) => title === 'own'));
    expect(await seen(toCompany)).toEqual(all.filter((title) => title !== 'foreign'));
  });

  it('P8 companies, projects and columns are only its own', async () => {
    const ids = async (token: string, path: string) => itemsOf(await ask(token, 'GET', path)).map(({ id }) => id);
    expect(await ids(toProject, 'companies')).toEqual([own.company]);
    expect(await ids(toProject, 'projects')).toEqual([own.project]);
    expect(await ids(toProject, `companies/${own.company}/projects`)).toEqual([own.project]);
    expect(await ids(toCompany, 'projects')).toEqual([sister.project, own.project]);
    expect(await ids(toProject, `projects/${own.project}/columns`)).toEqual(own.columns);
    expect(await ids(everywhere, 'companies')).toEqual([foreign.company, own.company]);
  });

  it('P8 a read elsewhere is 404', async () => {
    const of = ({ company, project, columns }: MadeProject, ticket: string) => [
      `companies/${company}`,
      `companies/${company}/projects`,
      `projects/${project}`,
      `projects/${project}/columns`,
      `columns/${columns[0]}`,
      `tickets/${ticket}`,
      `tickets/${ticket}/comments`,
      `tickets/${ticket}/activity`,
    ];
    const statuses = async (token: string, paths: readonly string[]) =>
      Promise.all(paths.map(async (path) => (await ask(token, 'GET', path)).status));
    expect(new Set(await statuses(toProject, of(own, tickets.own)))).toEqual(new Set([200]));
    expect(new Set(await statuses(toCompany, of(sister, tickets.sister)))).toEqual(new Set([200]));
    expect(new Set(await statuses(toCompany, of(foreign, tickets.foreign)))).toEqual(new Set([404]));
    expect(new Set(await statuses(toProject, of(sister, tickets.sister).slice(2)))).toEqual(new Set([404]));
    expect(new Set(await statuses(toProject, of(foreign, tickets.foreign)))).toEqual(new Set([404]));
  });

  it('P8 a write elsewhere is 403, there or not; to a token that sees everything, what is not there is 404', async () => {
    const writes = (ticket: string): [string, string, object][] => [
      ['PATCH', `tickets/${ticket}`, { title: 'mine' }],
      ['POST', `tickets/${ticket}/archive`, {}],
      ['POST', `tickets/${ticket}/restore`, {}],
      ['POST', `tickets/${ticket}/move`, { position: 'top' }],
      ['POST', `tickets/${ticket}/move`, { project: own.project }],
      ['POST', `tickets/${ticket}/branch`, { branch: 'mine' }],
      ['POST', `tickets/${ticket}/assign`, { assignees: [person] }],
      ['POST', `tickets/${ticket}/unassign`, { assignees: [person] }],
      ['POST', `tickets/${ticket}/comments`, { body: 'mine' }],
    ];
    const before = (await server.events('ticket-')).length;
    for (const ticket of [tickets.sister, tickets.foreign, NOWHERE]) {
      const answers = [];
      for (const [method, path, body] of writes(ticket)) {
        const { status, body: problem } = await ask(toProject, method, path, body);
        expect({ path, status, code: problem['code'] }).toEqual({ path, status: 403, code: 'forbidden' });
        answers.push(problem);
      }
      // Nothing in the answer tells what is there from what is not.
      expect(new Set(answers.map((problem) => JSON.stringify(problem))).size).toBe(1);
    }
    for (const project of [sister.project, foreign.project, NOWHERE]) {
      expect(await ask(toProject, 'POST', 'tickets', { project, title: 'mine' })).toMatchObject({ status: 403 });
      expect(await ask(toProject, 'POST', `tickets/${tickets.own}/move`, { project })).toMatchObject({ status: 403 });
    }
    for (const [method, path, body] of writes(NOWHERE)) {
      expect([path, (await ask(everywhere, method, path, body)).status]).toEqual([path, 404]);
    }
    expect(await server.events('ticket-')).toHaveLength(before);
  });

  it('P8 a neighbour elsewhere is no neighbour', async () => {
    const path = `tickets/${tickets.own}/move`;
    expect(await ask(toProject, 'POST', path, { after: tickets.sister })).toMatchObject({ status: 422 });
    expect(await ask(toProject, 'POST', path, { column: sister.columns[0] })).toMatchObject({ status: 422 });
  });

  it('P8 a ticket moved out of reach is gone for it', async () => {
    const made = await ask(toProject, 'POST', 'tickets', { project: own.project, title: 'moving' });
    const path = `tickets/${made.body['id']}`;
    const away = await ask(toCompany, 'POST', `${path}/move`, { project: sister.project });
    expect(away).toMatchObject({ status: 200, body: { project: sister.project, column: sister.columns[0] } });
    const headers = { 'x-log-position': String(away.headers.get('x-log-position')) };
    expect(await server.call('GET', `/api/v1/${path}`, { token: toProject, headers })).toMatchObject({ status: 404 });
    expect(await ask(toProject, 'POST', `${path}/archive`, {})).toMatchObject({ status: 403 });
    expect(await ask(toCompany, 'POST', `${path}/move`, { project: foreign.project })).toMatchObject({ status: 403 });
  });

  it('P13 a token is pinned to what is there, only', async () => {
    const asked = (restrict: object) => ({ catalogue: 'toado', name: 'x', scopes: ['read'], restrict });
    const field = async (method: string, path: string, body: object) => {
      const answer = await server.call(method, `/api/v1/${path}`, { token: server.operator, body });
      return [answer.status, (answer.body['errors'] as { field: string }[] | undefined)?.[0]?.field];
    };
    const { id } = await createToken(server, asked({ companies: [own.company] }));
    for (const [restrict, wrong] of [
      [{ companies: [NOWHERE] }, 'restrict.companies'],
      [{ companies: [own.company, foreign.company] }, 'restrict.companies'],
      [{ projects: [own.project] }, 'restrict.projects'],
      [{ companies: [own.company], projects: [own.project, foreign.project] }, 'restrict.projects'],
      [{ companies: [own.company], projects: [NOWHERE] }, 'restrict.projects'],
    ] as const) {
      expect(await field('POST', 'tokens', asked(restrict))).toEqual([422, wrong]);
      expect(await field('PATCH', `tokens/${id}`, { restrict })).toEqual([422, wrong]);
    }
    const narrowed = { restrict: { companies: [own.company], projects: [sister.project] } };
    expect(await field('PATCH', `tokens/${id}`, narrowed)).toEqual([200, undefined]);
  });
});
