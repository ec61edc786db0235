import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, type Body, createToken, startServer, type TestServer } from '../support/server.ts';

const items = (answer: Answer): Body[] => answer.body['items'] as Body[];
const names = (answer: Answer): unknown[] => items(answer).map(({ name }) => name);

describe('companies, projects and columns', () => {
  let server: TestServer;
  /** An agent of Toado with nothing but `read`, pinned to nothing. */
  let reader: string;

  beforeAll(async () => {
    server = await startServer();
    reader = (await createToken(server, { catalogue: 'toado', scopes: ['read'] })).token;
  });
  afterAll(() => server.close());

  const operate = (method: string, path: string, body?: unknown, headers = {}) =>
    server.call(method, `/api/v1/admin/${path}`, { token: server.operator, body, headers });
  /** A read that waits for what a write has done. */
  const read = (path: string, after: Answer) =>
    server.call('GET', `/api/v1/${path}`, {
      token: reader,
      headers: { 'x-log-position': after.headers.get('x-log-position') ?? '0' },
    });
  const company = async (name: string) => (await operate('POST', 'companies', { name })).body;

  it('makes a company and a project with columns, each by one append, which a reader then sees', async () => {
    const acme = await company('Acme');
    expect(acme).toMatchObject({ name: 'Acme', limits: { reads: { per_minute: null } }, version: 0 });
    const before = (await server.events()).length;
    const made = await operate('POST', 'projects', { company: acme['id'], name: 'Web', columns: ['Now', 'Later'] });
    expect(made).toMatchObject({ status: 201, body: { company: acme['id'], archived: false, version: 2 } });
    const appended = (await server.events()).slice(before);
    expect(appended.map(({ type }) => type)).toEqual(['ProjectCreated', 'ColumnAdded', 'ColumnAdded']);

    const { id } = made.body;
    expect(names(await read(`projects/${id}/columns`, made))).toEqual(['Now', 'Later']);
    expect((await read(`projects/${id}`, made)).body).toEqual(made.body);
    expect(names(await read(`companies/${acme['id']}/projects`, made))).toEqual(['Web']);
    expect((await read(`companies/${acme['id']}`, made)).body).toEqual(acme);
  });

  it('keeps columns where they are put, and renumbers none', async () => {
    const project = (await operate('POST', 'projects', { company: (await company('Order'))['id'], name: 'P' })).body[
      'id'
    ];
    const columns = `projects/${project}/columns`;
    const [todo, doing] = items(await read(columns, await operate('POST', columns, { name: 'Later' })));
    await operate('POST', columns, { name: 'Review', after: doing?.['id'] });
    const moved = await operate('POST', `${columns}/${todo?.['id']}/move`, { before: doing?.['id'] });
    expect(moved.headers.get('x-log-position')).toBeNull();
    await operate('POST', columns, { name: 'Ideas', position: 'first' });
    const last = await operate('POST', `${columns}/${todo?.['id']}/move`, { after: doing?.['id'] });
    expect(names(await read(columns, last))).toEqual(['Ideas', 'Doing', 'To do', 'Review', 'Done', 'Later']);
    const events = await server.events(`project-${project}`);
    expect(events.filter(({ type }) => type === 'ColumnMoved')).toHaveLength(1);
    expect(await operate('POST', `${columns}/${todo?.['id']}/move`, { before: todo?.['id'] })).toMatchObject({
      status: 422,
    });
  });

  it('archives a project: it is listed apart and changes no more until it is restored', async () => {
    const made = await operate('POST', 'projects', { company: (await company('Old'))['id'], name: 'Attic' });
    const path = `projects/${made.body['id']}`;
    const archived = await operate('POST', `${path}/archive`);
    expect(archived.body).toMatchObject({ archived: true });
    expect(names(await read('projects', archived))).not.toContain('Attic');
    expect(names(await read('projects?archived=true', archived))).toEqual(['Attic']);
    expect(await operate('PATCH', path, { name: 'Cellar' })).toMatchObject({ status: 409 });
    await operate('POST', `${path}/restore`);
    const renamed = await operate('PATCH', path, { name: 'Cellar' });
    expect(names(await read('projects', renamed))).toContain('Cellar');
  });

  it('P13 sets a company’s limits up to the giver’s own, and lets anyone narrow them', async () => {
    const { id } = await company('Limited');
    const path = `/api/v1/admin/companies/${id}/limits`;
    const giver = await createToken(server, { catalogue: 'writ', scopes: ['operate'] });
    const change = (token: string, body: unknown) => server.call('PATCH', path, { token, body });
    expect(await change(giver.token, { writes: { per_minute: 61 } })).toMatchObject({ status: 403 });
    expect(await change(giver.token, { writes: { per_minute: 5 } })).toMatchObject({
      body: { limits: { reads: { per_minute: null }, writes: { per_minute: 5 } } },
    });
    await change(server.operator, { reads: { per_minute: 6_000 } });
    expect(await change(giver.token, { reads: { per_minute: 5_000 } })).toMatchObject({ status: 200 });
    expect(await change(giver.token, { reads: { per_minute: 5_001 } })).toMatchObject({ status: 403 });
    expect(await change(giver.token, { reads: null })).toMatchObject({
      body: { limits: { reads: { per_minute: null } } },
    });
    const events = await server.events(`company-${id}`);
    expect(events.filter(({ type }) => type === 'CompanyLimitsChanged').map(({ data }) => data)).toMatchObject([
      { reads: null, writes: 5 },
      { reads: 6_000, writes: 5 },
      { reads: 5_000, writes: 5 },
      { reads: null, writes: 5 },
    ]);
  });

  it('honours If-Match and Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'acme-1' };
    const first = await operate('POST', 'companies', { name: 'Once' }, key);
    const second = await operate('POST', 'companies', { name: 'Once' }, key);
    expect(second.body).toEqual(first.body);
    expect(await operate('POST', 'companies', { name: 'Twice' }, key)).toMatchObject({ status: 422 });
    const path = `companies/${first.body['id']}`;
    expect(await operate('PATCH', path, { name: 'New' }, { 'if-match': '"0"' })).toMatchObject({ status: 200 });
    expect(await operate('PATCH', path, { name: 'Newer' }, { 'if-match': '"0"' })).toMatchObject({ status: 412 });
  });

  it('P12 refuses what is not there or not asked for', async () => {
    const nowhere = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
    expect(await operate('POST', 'projects', { company: nowhere, name: 'P' })).toMatchObject({ status: 422 });
    expect(await operate('PATCH', `projects/${nowhere}`, { name: 'P' })).toMatchObject({ status: 404 });
    expect(await operate('POST', 'companies', { name: 'two\nlines' })).toMatchObject({ status: 422 });
    expect(await operate('POST', 'projects', { company: nowhere, name: 'P', columns: ['a', ''] })).toMatchObject({
      status: 422,
    });
    expect(await server.call('GET', `/api/v1/projects/${nowhere}`, { token: reader })).toMatchObject({ status: 404 });
    expect(await server.call('GET', `/api/v1/projects?archived=maybe`, { token: reader })).toMatchObject({
      status: 422,
    });
    expect(
      await server.call('POST', '/api/v1/admin/companies', { token: reader, body: { name: 'Mine' } }),
    ).toMatchObject({ status: 403, body: { missing_scope: 'operate' } });
    expect(await server.events(`project-${nowhere}`)).toEqual([]);
  });
});
