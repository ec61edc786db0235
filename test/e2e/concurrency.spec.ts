import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import { type Answer, createToken, startServer, type TestServer } from '../support/server.ts';

const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status).toSorted();

describe('two writers at once', () => {
  let server: TestServer;
  let writer: { readonly id: string; readonly token: string };
  let keys = 0;

  beforeAll(async () => {
    server = await startServer();
    const scopes = ['reports:read', 'reports:write', 'comments:read', 'comments:write'];
    writer = await createToken(server, { catalogue: 'comma', scopes, limits: { writes: { per_minute: 10_000 } } });
  });
  afterAll(() => server.close());

  const newKey = (): string => `key-${++keys}`;
  const newReport = async (): Promise<string> => {
    const made = await server.call('POST', '/api/v1/reports', { token: writer.token, body: { title: 'first' } });
    return String(made.body['id']);
  };
  const change = (report: string, body: object, headers: Record<string, string> = {}): Promise<Answer> =>
    server.call('PATCH', `/api/v1/reports/${report}`, { token: writer.token, body, headers });
  const types = (events: readonly RecordedEvent[]): string[] => events.map(({ type }) => type);

  it('with If-Match one wins, and the others hear where it is now', async () => {
    const report = await newReport();
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((title) => change(report, { title }, { 'if-match': '"0"' })),
    );
    expect(statuses(answers)).toEqual([200, 412, 412, 412, 412]);
    const won = answers.find(({ status }) => status === 200);
    expect(won?.headers.get('etag')).toBe('"1"');
    for (const { status, body } of answers) if (status === 412) expect(body).toMatchObject({ code: 'conflict' });
    const events = await server.events(`report-${report}`);
    expect(types(events)).toEqual(['ReportCreated', 'ReportUpdated']);
    expect(events[1]?.data).toMatchObject({ title: won?.body['title'] });
  });

  it('a loser that reads again and asks again wins', async () => {
    const report = await newReport();
    await change(report, { title: 'second' });
    expect((await change(report, { title: 'third' }, { 'if-match': '"0"' })).status).toBe(412);
    const read = await server.call('GET', `/api/v1/reports/${report}`, {
      token: writer.token,
      headers: { 'x-log-position': String(await server.log.head()) },
    });
    const etag = String(read.headers.get('etag'));
    expect(etag).toBe('"1"');
    expect((await change(report, { title: 'third' }, { 'if-match': etag })).status).toBe(200);
  });

  it('without, both changes hold', async () => {
    const report = await newReport();
    const answers = await Promise.all([
      change(report, { title: 'by the one' }),
      change(report, { body: 'by the other' }),
      server.call('POST', `/api/v1/reports/${report}/comments`, { token: writer.token, body: { body: 'a third' } }),
    ]);
    expect(statuses(answers)).toEqual([200, 200, 201]);
    const updates = (await server.events(`report-${report}`)).filter(({ type }) => type === 'ReportUpdated');
    expect(updates.at(-1)?.data).toMatchObject({ title: 'by the one', body: 'by the other' });
  });

  it('of two changes to a token with If-Match one wins', async () => {
    const { id } = await createToken(server, { catalogue: 'comma', scopes: ['reports:read'] });
    const rename = (name: string): Promise<Answer> =>
      server.call('PATCH', `/api/v1/tokens/${id}`, {
        token: server.operator,
        body: { name },
        headers: { 'if-match': '"0"' },
      });
    expect(statuses(await Promise.all([rename('a'), rename('b')]))).toEqual([200, 412]);
    expect(types(await server.events(`token-${id}`))).toEqual(['TokenCreated', 'TokenRenamed']);
  });

  it('of two rotations one makes a successor', async () => {
    const { id } = await createToken(server, { catalogue: 'comma', scopes: ['reports:read'] });
    const rotate = (): Promise<Answer> =>
      server.call('POST', `/api/v1/tokens/${id}/rotate`, { token: server.operator, body: {} });
    const answers = await Promise.all([rotate(), rotate()]);
    expect(statuses(answers)).toEqual([201, 409]);
    const successor = answers.find(({ status }) => status === 201)?.body['id'];
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ existing: successor });
    expect(types(await server.events(`token-${id}`))).toEqual(['TokenCreated', 'TokenRotated']);
    // The loser may leave an inert token behind; none but the winner's acts.
    const live = await server.call('GET', `/api/v1/tokens/${String(successor)}`, { token: server.operator });
    expect(live.body['status']).toBe('active');
  });

  it('a report made five times under one key is one report', async () => {
    const before = await server.events('report-');
    const headers = { 'idempotency-key': newKey() };
    const make = (): Promise<Answer> =>
      server.call('POST', '/api/v1/reports', { token: writer.token, body: { title: 'once', body: 'only' }, headers });
    const answers = await Promise.all([make(), make(), make(), make()]);
    answers.push(await make());
    expect(statuses(answers)).toEqual([201, 201, 201, 201, 201]);
    const shown = answers.map(({ body: { id, title, body, version, created_at } }) => ({
      id,
      title,
      body,
      version,
      created_at,
    }));
    for (const one of shown) expect(one).toEqual(shown[0]);
    const made = (await server.events('report-')).slice(before.length);
    expect(made.map(({ stream }) => stream)).toEqual([`report-${String(shown[0]?.id)}`]);
  });

  it('nor is a comment or a change made twice under one key', async () => {
    const report = await newReport();
    const headers = { 'idempotency-key': newKey() };
    const path = `/api/v1/reports/${report}/comments`;
    const comment = (): Promise<Answer> =>
      server.call('POST', path, { token: writer.token, body: { body: 'once' }, headers });
    const comments = [await comment(), ...(await Promise.all([comment(), comment()]))];
    expect(statuses(comments)).toEqual([201, 201, 201]);
    expect(new Set(comments.map(({ body }) => body['id'])).size).toBe(1);
    const changes = [await change(report, { title: 'new' }, headers), await change(report, { title: 'new' }, headers)];
    expect(statuses(changes)).toEqual([200, 200]);
    expect(types(await server.events(`report-${report}`))).toEqual(['ReportCreated', 'CommentAdded', 'ReportUpdated']);
  });

  it('P5 a token made again under one key: 409, its id, never its secret again', async () => {
    const headers = { 'idempotency-key': newKey() };
    const body = { catalogue: 'comma', name: 'once', scopes: ['reports:read'] };
    const make = (): Promise<Answer> =>
      server.call('POST', '/api/v1/tokens', { token: server.operator, body, headers });
    const answers = await Promise.all([make(), make(), make()]);
    answers.push(await make());
    expect(statuses(answers)).toEqual([201, 409, 409, 409]);
    const made = answers.find(({ status }) => status === 201);
    for (const { status, body: problem } of answers) {
      if (status !== 409) continue;
      expect(problem).toMatchObject({ code: 'conflict', existing: made?.body['id'] });
      expect(problem['token']).toBeUndefined();
      expect(JSON.stringify(problem)).not.toContain('comma_sk_');
    }
    expect(types(await server.events(`token-${String(made?.body['id'])}`))).toEqual(['TokenCreated']);
    // The one that was shown is the one that lives.
    const me = await server.call('GET', '/api/v1/me', { token: String(made?.body['token']) });
    expect(me.status).toBe(200);
  });

  it.each([
    ['/api/v1/reports', { title: 'one' }, { title: 'other' }, 'report-'],
    [
      '/api/v1/tokens',
      { catalogue: 'comma', name: 'one', scopes: ['reports:read'] },
      { catalogue: 'comma', name: 'other', scopes: ['reports:read'] },
      'token-',
    ],
  ])('P12 the same key with another input on %s: 422, and nothing is made', async (path, first, second, streams) => {
    const token = streams === 'token-' ? server.operator : writer.token;
    const headers = { 'idempotency-key': newKey() };
    expect((await server.call('POST', path, { token, body: first, headers })).status).toBe(201);
    const before = await server.events(streams);
    const answer = await server.call('POST', path, { token, body: second, headers });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ field: 'idempotency-key' }] } });
    expect(await server.events(streams)).toHaveLength(before.length);
    // Written otherwise, it is the same input.
    const again = Object.fromEntries(Object.entries(first).toReversed());
    expect([201, 409]).toContain((await server.call('POST', path, { token, body: again, headers })).status);
  });

  it('the same key of another token is another key', async () => {
    const other = await createToken(server, { catalogue: 'comma', scopes: ['reports:write'] });
    const headers = { 'idempotency-key': newKey() };
    const make = (token: string): Promise<Answer> =>
      server.call('POST', '/api/v1/reports', { token, body: { title: 'mine' }, headers });
    const answers = [await make(writer.token), await make(other.token)];
    expect(statuses(answers)).toEqual([201, 201]);
    expect(answers[0]?.body['id']).not.toBe(answers[1]?.body['id']);
  });
});
