import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callTool, connectCurrent } from '../support/mcp.ts';
import { eventually, MINUTE_MS, runsOf, TestClock } from '../support/routines.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';
import { SHELF } from '../products/shelf/operations.ts';

const FOLDER = 'test/products/shelf';

/** A page shows parts of files, moved to its margin. */
const unindented = (code: string): string => code.replaceAll(/^ +/gm, '');

describe('a third product: a catalogue file and two operations', () => {
  const clock = new TestClock();
  let server: TestServer;
  let token: string;
  let tokenId: string;
  beforeAll(async () => {
    server = await startServer({ cataloguesFolder: FOLDER }, clock.now, SHELF);
    const scopes = ['books:write', 'routines:write'];
    ({ id: tokenId, token } = await createToken(server, { catalogue: 'shelf', scopes, name: 'librarian' }));
  }, 240_000);
  afterAll(() => server.close());

  const titles = async (): Promise<unknown[]> => {
    const { body } = await server.call('GET', '/api/v1/books', { token });
    return (body['items'] as { readonly title: string }[]).map(({ title }) => title);
  };

  it('P7 has its tokens, its routes, its tools and its steps', async () => {
    expect(token).toMatch(/^shelf_/);
    const shelved = await server.call('POST', '/api/v1/books', { token, body: { title: 'by REST' } });
    expect(shelved).toMatchObject({ status: 201, body: { title: 'by REST' } });

    const client = await connectCurrent(server.url, token);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['shelve_book', 'list_books']));
    const byMcp = await callTool(client, 'shelve_book', { title: 'by MCP' });
    expect(byMcp.structuredContent).toMatchObject({ title: 'by MCP' });
    await client.close();

    const routine = await server.call('POST', '/api/v1/routines', {
      token,
      body: {
        name: 'Every minute a book',
        schedule: { cron: '* * * * *', time_zone: 'UTC' },
        steps: [{ operation: 'shelve_book', input: { title: 'by a routine' } }],
      },
    });
    expect(routine.status).toBe(201);
    clock.advance(MINUTE_MS);
    const run = await eventually(
      async () =>
        (await runsOf(server, String(routine.body['id']))).find(({ status }) => status === 'succeeded') ?? null,
    );
    expect(run).toMatchObject({ token: { id: tokenId, label: 'librarian' } });

    expect(await titles()).toEqual(expect.arrayContaining(['by REST', 'by MCP', 'by a routine']));
    const faces = (await server.events('shelf-')).map(({ metadata }) => (metadata['actor'] as { face: string }).face);
    expect(new Set(faces)).toEqual(new Set(['rest', 'mcp', 'routine']));
  }, 240_000);

  it('P7 is guarded as the built-in ones are', async () => {
    const { token: reader } = await createToken(server, { catalogue: 'shelf', scopes: ['books:read'] });
    const refused = await server.call('POST', '/api/v1/books', { token: reader, body: { title: 'no' } });
    expect(refused).toMatchObject({ status: 403, body: { missing_scope: 'books:write' } });
    const malformed = await server.call('POST', '/api/v1/books', { token, body: { title: 'two\nlines' } });
    expect(malformed).toMatchObject({ status: 422, body: { errors: [{ field: 'title' }] } });
    const headers = { 'idempotency-key': 'one' };
    const again = () => server.call('POST', '/api/v1/books', { token, body: { title: 'once' }, headers });
    expect((await again()).body).toEqual((await again()).body);
    expect((await titles()).filter((title) => title === 'once')).toHaveLength(1);
    const openapi = await server.call('GET', '/openapi.json');
    expect(openapi.body['paths']).toHaveProperty(['/api/v1/books', 'post', 'operationId'], 'shelve_book');
  }, 120_000);

  it('is what docs/add-an-operation.md shows', () => {
    const sources = ['shelf.yaml', 'shelf.ts', 'operations.ts'].map((file) =>
      unindented(readFileSync(`${FOLDER}/${file}`, 'utf8')),
    );
    const page = readFileSync('docs/add-an-operation.md', 'utf8');
    const shown = [...page.matchAll(/```(?:ts|yaml)\n(.*?)```/gs)].map(([, code = '']) => unindented(code));
    expect(shown.length).toBeGreaterThan(4);
    expect(shown.filter((code) => !sources.some((source) => source.includes(code)))).toEqual([]);
  });
});
