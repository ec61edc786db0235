import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startServer, type TestServer } from '../support/server.ts';

describe('a route', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  }, 180_000);
  afterAll(() => server.close());

  it.each(['/api/v1/me', '/api/v1/me/', '/API/v1/Me', '/api/v1/me?'])('is found as %s, too', async (path) => {
    const { status, body } = await server.call('GET', path, { token: server.operator });
    expect([status, body['catalogue']]).toEqual([200, 'writ']);
  });

  it('is found by HEAD, and by no other method than its own', async () => {
    expect((await server.call('HEAD', '/api/v1/me', { token: server.operator })).status).toBe(200);
    expect((await server.call('PATCH', '/api/v1/me', { token: server.operator })).status).toBe(404);
  });

  it('P12 that takes nothing is given nothing: a query parameter is refused by name', async () => {
    const { status, body } = await server.call('GET', '/api/v1/me?owner=x', { token: server.operator });
    expect([status, (body['errors'] as { field: string }[])[0]?.field]).toEqual([422, 'owner']);
  });
});
