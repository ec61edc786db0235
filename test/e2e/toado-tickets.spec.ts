import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, createToken, startServer, type TestServer } from '../support/server.ts';
import { after, itemsOf, type MadeProject, makeProject } from '../support/toado.ts';

const SCOPES = ['read', 'comments', 'tickets:write', 'tickets:assign'];

describe('tickets', () => {
  let server: TestServer;
  let web: MadeProject;
  let agent: string;
  /** The operator, who is a person of the workspace. */
  let person: { readonly id: string; readonly name: string };

  beforeAll(async () => {
    server = await startServer();
    web = await makeProject(server);
    const limits = { writes: { per_minute: 1_000 } };
    agent = (await createToken(server, { catalogue: 'toado', name: 'claude-code', scopes: SCOPES, limits })).token;
    person = server.parts.founded.owner;
  });
  afterAll(() => server.close());

  const as =
    (token: string) =>
    (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      server.call(method, `/api/v1/${path}`, { token, body, headers });
  const ask: ReturnType<typeof as> = (...given) => as(agent)(...given);
  const create = async (more: object = {}): Promise<Answer> => {
    const made = await ask('POST', 'tickets', { project: web.project, title: 'A bug', ...more });
    expect(made.status).toBe(201);
    return made;
  };
  const idOf = (answer: Answer): string => String(answer.body['id']);
  const titles = async (column: string, write: Answer) =>
    itemsOf(await ask('GET', `tickets?column=${column}`, undefined, after(write))).map(({ title }) => title);

  it('P1 each write is one append that carries its use, and is answered with what a reader then sees', async () => {
    const made = await create({ body: 'It *crashes*.', branch: 'fix/crash' });
    const { id } = made.body;
    const steps: [string, string, unknown, string[]][] = [
      ['PATCH', '', { title: 'A crash', assignees: [person.id] }, ['TicketUpdated', 'TicketAssigned']],
      ['POST', '/branch', { branch: null }, ['TicketBranchRecorded']],
      ['POST', '/unassign', { assignees: [person.id] }, ['TicketAssigned']],
      ['POST', '/assign', { assignees: [person.id] }, ['TicketAssigned']],
      ['POST', '/move', { column: web.columns[2] }, ['TicketMoved']],
      ['POST', '/comments', { body: 'Seen.' }, ['TicketCommented']],
      ['POST', '/archive', {}, ['TicketArchived']],
      ['POST', '/restore', {}, ['TicketRestored']],
    ];
    let last = made;
    for (const [method, path, body, types] of steps) {
      const before = (await server.events()).length;
      last = await ask(method, `tickets/${id}${path}`, body);
      expect(last.status).toBe(path === '/comments' ? 201 : 200);
      const appended = (await server.events()).slice(before);
      expect(appended.map(({ type }) => type)).toEqual(types);
      expect(appended[0]?.metadata['use']).toMatchObject({ budget: 'writes', cost: 1, resource: `ticket/${id}` });
    }
    const read = await ask('GET', `tickets/${id}`, undefined, after(last));
    expect(read.body).toEqual(last.body);
    expect(read.body).toMatchObject({
      title: 'A crash',
      body: 'It *crashes*.',
      column: web.columns[2],
      assignees: [person],
      branch: null,
      archived: false,
      version: 9,
      by: { label: 'claude-code', text: 'Operator (claude-code) · via REST · just now' },
    });
    const activity = itemsOf(await ask('GET', `tickets/${id}/activity`));
    expect(activity.map(({ type }) => type)).toEqual(
      ['TicketCreated', ...steps.flatMap(([, , , types]) => types)].toReversed(),
    );
    expect(itemsOf(await ask('GET', `tickets/${id}/comments`))).toMatchObject([{ ticket: id, body: 'Seen.' }]);
  });

  it('keeps a column in the order its tickets are put in, and renumbers none', async () => {
    const { project, columns } = await makeProject(server, web.company);
    const column = columns[1]!;
    const made = new Map<string, Answer>();
    for (const title of ['a', 'b', 'c', 'd']) made.set(title, await create({ project, column, title }));
    const id = (title: string): string => idOf(made.get(title)!);
    const move = (title: string, body: object) => ask('POST', `tickets/${id(title)}/move`, body);
    expect(await titles(column, made.get('d')!)).toEqual(['a', 'b', 'c', 'd']);
    await move('d', { position: 'top' });
    await move('a', { after: id('c') });
    const last = await move('b', { before: id('d') });
    expect(await titles(column, last)).toEqual(['b', 'd', 'c', 'a']);
    // It is there already: nothing is written.
    expect((await move('b', { position: 'top' })).headers.get('x-log-position')).toBeNull();
    expect(await move('b', { before: id('b') })).toMatchObject({ status: 422 });
    expect(await move('b', { before: id('c'), position: 'top' })).toMatchObject({ status: 422 });
    const moved = (await server.events('ticket-')).filter(({ type }) => type === 'TicketMoved');
    expect(moved.filter(({ stream }) => [...made.values()].some((each) => stream.endsWith(idOf(each))))).toHaveLength(
      3,
    );

    const pages: unknown[] = [];
    let cursor = '';
    do {
      const page = await ask('GET', `tickets?column=${column}&limit=1${cursor}`);
      pages.push(...itemsOf(page).map(({ title }) => title));
      cursor = page.body['next'] === null ? '' : `&cursor=${String(page.body['next'])}`;
    } while (cursor !== '');
    expect(pages).toEqual(['b', 'd', 'c', 'a']);
  });

  it('lists by project, assignee, branch and whether archived', async () => {
    const { project } = await makeProject(server, web.company);
    await create({ project, title: 'mine', assignees: [person.id] });
    await create({ project, title: 'branched', branch: 'feat/x' });
    const gone = await create({ project, title: 'gone' });
    const last = await ask('POST', `tickets/${idOf(gone)}/archive`);
    const list = async (filter: string) =>
      itemsOf(await ask('GET', `tickets?project=${project}${filter}`, undefined, after(last))).map(
        ({ title }) => title,
      );
    expect(await list('')).toEqual(['branched', 'mine']);
    expect(await list(`&assignee=${person.id}`)).toEqual(['mine']);
    expect(await list('&branch=feat/x')).toEqual(['branched']);
    expect(await list('&archived=true')).toEqual(['gone']);
    expect(await ask('PATCH', `tickets/${idOf(gone)}`, { title: 'back' })).toMatchObject({ status: 409 });
  });

  it('restores a ticket whose column is gone to the first, and keeps a column that holds live tickets', async () => {
    const { project, columns } = await makeProject(server, web.company);
    const ticket = idOf(await create({ project, column: columns[2] }));
    const remove = (column: string) =>
      server.call('DELETE', `/api/v1/admin/projects/${project}/columns/${column}`, { token: server.operator });
    expect(await remove(columns[2]!)).toMatchObject({ status: 409 });
    await ask('POST', `tickets/${ticket}/archive`);
    expect(await remove(columns[2]!)).toMatchObject({ status: 200, body: { removed: true } });
    const restored = await ask('POST', `tickets/${ticket}/restore`);
    expect(restored).toMatchObject({ status: 200, body: { column: columns[0], archived: false } });
    expect(await ask('POST', `tickets/${ticket}/move`, { column: columns[2] })).toMatchObject({ status: 422 });
  });

  it('takes no ticket into an archived project', async () => {
    const { project } = await makeProject(server, web.company);
    const ticket = idOf(await create());
    await server.call('POST', `/api/v1/admin/projects/${project}/archive`, { token: server.operator });
    expect(await ask('POST', 'tickets', { project, title: 'late' })).toMatchObject({ status: 409 });
    expect(await ask('POST', `tickets/${ticket}/move`, { project })).toMatchObject({ status: 409 });
  });

  it('honours If-Match and Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'ticket-1' };
    const body = { project: web.project, title: 'Once' };
    const first = await ask('POST', 'tickets', body, key);
    const second = await ask('POST', 'tickets', body, key);
    expect(second.body).toEqual(first.body);
    expect(await ask('POST', 'tickets', { ...body, title: 'Twice' }, key)).toMatchObject({ status: 422 });
    const path = `tickets/${idOf(first)}`;
    expect(await ask('PATCH', path, { body: 'x' }, { 'if-match': '"0"' })).toMatchObject({ status: 200 });
    expect(await ask('POST', `${path}/archive`, {}, { 'if-match': '"0"' })).toMatchObject({ status: 412 });
  });

  it('P12 refuses what is not there, not asked for or no branch of git', async () => {
    const nowhere = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
    const ticket = idOf(await create());
    const before = (await server.events('ticket-')).length;
    const refused: [string, string, object, number][] = [
      ['POST', 'tickets', { project: nowhere, title: 'x' }, 404],
      ['POST', 'tickets', { project: web.project, title: '' }, 422],
      ['POST', 'tickets', { project: web.project, title: 'x', column: nowhere }, 422],
      ['POST', 'tickets', { project: web.project, title: 'x', assignees: [nowhere] }, 422],
      ['POST', `tickets/${nowhere}/archive`, {}, 404],
      ['POST', `tickets/${nowhere}/comments`, { body: 'x' }, 404],
      ['POST', `tickets/${ticket}/move`, { project: nowhere }, 404],
      ['POST', `tickets/${ticket}/assign`, { assignees: [] }, 422],
      ...['a..b', '-x', 'x.lock', 'a b', '/a', 'a/', 'a//b', '.a', 'a~1', '@', 'x@{1}'].map(
        (branch): [string, string, object, number] => ['POST', `tickets/${ticket}/branch`, { branch }, 422],
      ),
    ];
    for (const [method, path, body, status] of refused) {
      expect([path, body, (await ask(method, path, body)).status]).toEqual([path, body, status]);
    }
    expect(await server.events('ticket-')).toHaveLength(before);
  });

  // DESIGN §4: what each scope alone may do, by the status of each call.
  it.each([
    ['read', { read: 200, comment: 403, write: 403, assign: 403, assignInUpdate: 403 }],
    ['comments', { read: 200, comment: 201, write: 403, assign: 403, assignInUpdate: 403 }],
    ['tickets:write', { read: 200, comment: 201, write: 200, assign: 403, assignInUpdate: 403 }],
    ['tickets:assign', { read: 200, comment: 403, write: 403, assign: 200, assignInUpdate: 403 }],
  ])('P7 the scope %s grants what the matrix says, and no more', async (scope, expected) => {
    const made = await create();
    const ticket = `tickets/${idOf(made)}`;
    const { token } = await createToken(server, { catalogue: 'toado', scopes: [scope] });
    const may = as(token);
    const update = await may('PATCH', ticket, { assignees: [] });
    expect({
      read: (await may('GET', ticket, undefined, after(made))).status,
      comment: (await may('POST', `${ticket}/comments`, { body: 'x' })).status,
      write: (await may('PATCH', ticket, { title: 'y' })).status,
      assign: (await may('POST', `${ticket}/assign`, { assignees: [person.id] })).status,
      assignInUpdate: update.status,
    }).toEqual(expected);
    if (scope === 'tickets:write') {
      expect(update.body).toMatchObject({ code: 'forbidden', missing_scope: 'tickets:assign' });
      const withAssignees = { project: web.project, title: 'x', assignees: [person.id] };
      expect(await may('POST', 'tickets', withAssignees)).toMatchObject({ body: { missing_scope: 'tickets:assign' } });
    }
  });
});
