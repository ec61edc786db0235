import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { useOf } from '../../libs/usage/use.ts';
import { type Answer, type Body, createToken, startServer, type TestServer } from '../support/server.ts';
import { after, itemsOf, type MadeProject, makeProject } from '../support/toado.ts';

const NOWHERE = '01ARZ3NDEKTSV4RRFFQ69G5FAV';

interface Report {
  readonly ticket: string;
  readonly outcome: string;
}

describe('bulk moves and assignments', () => {
  let server: TestServer;
  let web: MadeProject;
  let other: MadeProject;
  let maker: string;
  let person: string;

  beforeAll(async () => {
    server = await startServer();
    web = await makeProject(server);
    other = await makeProject(server);
    person = server.parts.founded.owner.id;
    maker = (await mint(1_000)).token;
  });
  afterAll(() => server.close());

  const mint = (writes: number, restrict: object = {}) =>
    createToken(server, {
      catalogue: 'toado',
      scopes: ['tickets:write', 'tickets:assign'],
      limits: { reads: { per_minute: 1_000 }, writes: { per_minute: writes } },
      restrict,
    });
  const ask = (token: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    server.call('POST', `/api/v1/tickets${path}`, { token, body, headers });
  const makeTickets = async (count: number, { project } = web): Promise<string[]> => {
    const ids: string[] = [];
    for (let n = 0; n < count; n++) ids.push(String((await ask(maker, '', { project, title: `${n}` })).body['id']));
    return ids;
  };
  const reports = ({ body }: Answer): Report[] => body['items'] as Report[];
  const outcomes = (answer: Answer): string[] => reports(answer).map(({ outcome }) => outcome);
  const usesSince = async (position: number): Promise<Body[]> =>
    (await server.events())
      .filter((event) => event.position > position)
      .flatMap((event) => useOf(event) ?? []) as unknown as Body[];
  const head = async (): Promise<number> => (await server.log.head()) ?? 0;

  it('moves tickets to one place, in the order given, each by one event that carries its own use', async () => {
    const { project, columns } = await makeProject(server, web.company);
    const ids = await makeTickets(4);
    const [there] = await makeTickets(1, { ...web, project });
    const column = columns[1]!;
    await ask(maker, `/${there}/move`, { column });
    const { id, token } = await mint(100);
    const before = await head();
    const moved = await ask(token, '/bulk-move', { tickets: ids, project, column, position: 'top' });
    expect(moved).toMatchObject({ status: 200, body: { done: 4, remaining: [], retry_after: null } });
    const uses = await usesSince(before);
    expect(uses).toHaveLength(4);
    expect(uses).toMatchObject(
      ids.map((ticket) => ({ token: id, resource: `ticket/${ticket}`, budget: 'writes', cost: 1 })),
    );
    expect(new Set(uses.map(({ request_id }) => request_id)).size).toBe(1);
    const listed = await server.call('GET', `/api/v1/tickets?column=${column}`, { token, headers: after(moved) });
    expect(itemsOf(listed).map((ticket) => ticket['id'])).toEqual([...ids, there]);
    // P3: what is used of the budget is what was recorded.
    expect(moved.headers.get('ratelimit')).toContain('"writes";r=96');
  });

  it('finds every item in the token’s history, however fast they came', async () => {
    const tickets = await makeTickets(10);
    const { id, token } = await mint(100);
    await ask(token, '/bulk-assign', { tickets, assign: [person] });
    const headers = { 'x-log-position': String(await head()) };
    const path = `/api/v1/tokens/${id}/history?limit=100`;
    const history = await server.call('GET', path, { token: server.operator, headers });
    const uses = itemsOf(history).filter(({ type }) => type === 'TokenUsed');
    expect(uses.map(({ data }) => (data as Body)['resource'])).toEqual(tickets.map((ticket) => `ticket/${ticket}`));
  });

  it('P8 says of each ticket what happened, and of what a restricted token does not reach only that', async () => {
    const [mine, archived] = await makeTickets(2);
    const [foreign] = await makeTickets(1, other);
    await ask(maker, `/${archived}/archive`, {});
    const tickets = [mine, foreign, NOWHERE, archived];
    const { token } = await mint(100, { companies: [web.company] });
    const before = await head();
    const answer = await ask(token, '/bulk-assign', { tickets, assign: [person] });
    expect(outcomes(answer)).toEqual(['done', 'forbidden', 'forbidden', 'conflict']);
    expect(await usesSince(before)).toMatchObject([
      { decision: 'allowed', cost: 1 },
      { decision: 'refused', reason: 'failed', status: 403, cost: 1 },
      { decision: 'refused', reason: 'failed', status: 403, cost: 1 },
      { decision: 'refused', reason: 'failed', status: 409, cost: 1 },
    ]);
    expect(outcomes(await ask(maker, '/bulk-assign', { tickets, unassign: [person] }))).toEqual([
      'done',
      'done',
      'not_found',
      'conflict',
    ]);
    expect(outcomes(await ask(token, '/bulk-move', { tickets: [mine], project: other.project }))).toEqual([
      'forbidden',
    ]);
  });

  it('P3 stops where the budget runs out: what was done stays done, the rest is named, and a retry finishes it', async () => {
    const tickets = await makeTickets(8);
    const { id, token } = await mint(5);
    const key = { 'idempotency-key': 'bulk-1' };
    const body = { tickets, project: web.project, column: web.columns[2], position: 'bottom' };
    const first = await ask(token, '/bulk-move', body, key);
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ done: 5, remaining: tickets.slice(5) });
    expect(Number(first.body['retry_after'])).toBeGreaterThan(0);
    const moves = async () =>
      (await server.events('ticket-')).filter(
        ({ type, stream }) => type === 'TicketMoved' && tickets.includes(stream.slice('ticket-'.length)),
      );
    expect(await moves()).toHaveLength(5);
    // Nothing is left: the call itself is throttled, and nothing more is done.
    expect(await ask(token, '/bulk-move', body, key)).toMatchObject({ status: 429 });
    expect(await moves()).toHaveLength(5);

    const limits = { writes: { per_minute: 9 } };
    await server.call('PATCH', `/api/v1/tokens/${id}`, { token: server.operator, body: { limits } });
    const second = await ask(token, '/bulk-move', body, key);
    expect(second.body).toMatchObject({ done: 8, remaining: [], retry_after: null });
    expect(outcomes(second)).toEqual(tickets.map(() => 'done'));
    expect(await moves()).toHaveLength(8);
    // Three more were paid for, the five of before were not paid twice.
    expect(second.headers.get('ratelimit')).toContain('"writes";r=1;');
    const column = `/api/v1/tickets?column=${web.columns[2]}`;
    const listed = await server.call('GET', column, { token, headers: after(second) });
    expect(itemsOf(listed).map((ticket) => ticket['id'])).toEqual(tickets);

    expect(await ask(token, '/bulk-move', { ...body, position: 'top' }, key)).toMatchObject({ status: 422 });
  });

  it('P2 looks the token up again for each ticket: a revocation in the middle ends it', async () => {
    const tickets = await makeTickets(50);
    const { id, token } = await mint(1_000);
    const moving = ask(token, '/bulk-move', { tickets, project: web.project, column: web.columns[1] });
    const moved = async (): Promise<number> =>
      (await server.events('ticket-')).filter(
        ({ type, stream }) => type === 'TicketMoved' && tickets.includes(stream.slice('ticket-'.length)),
      ).length;
    while ((await moved()) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await server.call('DELETE', `/api/v1/tokens/${id}`, { token: server.operator });
    const then = await moved();
    expect((await moving).status).toBe(401);
    // One append may have been under way.
    expect(await moved()).toBeLessThanOrEqual(then + 1);
  });

  it('P12 refuses what is no list of at most 50 tickets, or asks for nothing', async () => {
    const [ticket] = await makeTickets(1);
    const before = (await server.events('ticket-')).length;
    const many = Array.from({ length: 51 }, (_, n) => NOWHERE.slice(0, 24) + String(n).padStart(2, '0'));
    for (const [path, body] of [
      ['/bulk-assign', { tickets: [], assign: [person] }],
      ['/bulk-assign', { tickets: many, assign: [person] }],
      ['/bulk-assign', { tickets: [ticket, ticket], assign: [person] }],
      ['/bulk-assign', { tickets: [ticket] }],
      ['/bulk-assign', { tickets: [ticket], assign: [person], unassign: [person] }],
      ['/bulk-assign', { tickets: [ticket], assign: [NOWHERE] }],
      ['/bulk-move', { tickets: [ticket], project: web.project, before: ticket }],
      ['/bulk-move', { tickets: [ticket] }],
    ] as const) {
      expect([body, (await ask(maker, path, body)).status]).toEqual([body, 422]);
    }
    expect(await server.events('ticket-')).toHaveLength(before);
  });
});
