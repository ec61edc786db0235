import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { fillSample } from '../../libs/sample/fill-sample.ts';
import { TOKEN_SHAPE } from '../../libs/tokens/token-format.ts';
import { writ } from '../support/cli.ts';
import { eventually, runsOf } from '../support/routines.ts';
import { type Body, startServer, type TestServer } from '../support/server.ts';

jest.setTimeout(240_000);

/** What a fill leaves behind, but for the reads and refusals that its agents make on the way. */
const LASTING = ['report-', 'routine-', 'company-', 'project-', 'ticket-', 'person-'];

describe('the sample', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  const lasting = async (): Promise<string[]> =>
    (await server.events())
      .filter(({ stream }) => LASTING.some((prefix) => stream.startsWith(prefix)))
      .map(({ stream, type }) => `${stream} ${type}`);
  const operatorsList = async (path: string): Promise<Body[]> =>
    (await server.call('GET', `/api/v1${path}`, { token: server.operator })).body['items'] as Body[];

  it('broken off in several places it goes on where it was, and makes nothing twice', async () => {
    const { fetch } = globalThis;
    for (const most of [4, 12, 19, 30, 55]) {
      let calls = 0;
      globalThis.fetch = (...args) => (++calls > most ? Promise.reject(new Error('gone')) : fetch(...args));
      await expect(fillSample(server.url, server.operator)).rejects.toThrow('gone');
      globalThis.fetch = fetch;
    }
    expect(await fillSample(server.url, server.operator)).toBe('filled');
    const types = (await lasting()).map((line) => line.split(' ')[1]);
    expect(types.filter((type) => type === 'ReportCreated')).toHaveLength(3);
    expect(types.filter((type) => type === 'CommentAdded').length).toBeGreaterThanOrEqual(2);
    expect(types.filter((type) => type === 'CompanyCreated')).toHaveLength(1);
    expect(types.filter((type) => type === 'RoutineCreated')).toHaveLength(1);
    expect(types.filter((type) => type === 'TicketCreated')).toHaveLength(5);
  });

  it('shows agents by name, refusals, a routine’s run and an end', async () => {
    const tokens = await operatorsList('/tokens?limit=200');
    const named = (name: string): Body | undefined =>
      tokens.find((token) => token['name'] === name && token['successor'] === null);
    expect(named('claude-code on macbook')).toMatchObject({ owner: { name: 'Jason' }, status: 'active' });
    expect(named('sample contractor laptop')).toMatchObject({ status: 'revoked' });
    expect(named('ci dashboard')).toMatchObject({
      restrict: { companies: [expect.any(String)], projects: [expect.any(String)] },
    });
    const refused = (await server.events('usage-')).filter(({ data }) => (data as Body)['reason'] === 'missing_scope');
    expect(refused.length).toBeGreaterThanOrEqual(2);
    const [routine] = await operatorsList('/admin/routines');
    const [run] = await eventually(async () => {
      const runs = await runsOf(server, String(routine?.['id']));
      return runs[0]?.['ended_at'] !== null && runs.length > 0 ? runs : null;
    });
    expect(run).toMatchObject({ status: 'succeeded', steps: [{ status: 200 }, { status: 201 }] });
  });

  it('`writ demo` after it changes nothing, and says so', async () => {
    const before = await lasting();
    const again = await writ(['demo'], { WRIT_URL: server.url, DATA_DIR: server.dataDir });
    expect(again).toMatchObject({ exit: 0, out: 'The sample was there: nothing was changed.\n' });
    expect(await lasting()).toEqual(before);
    expect(await fillSample(server.url, server.operator)).toBe('there-already');
  });

  it('P5 keeps none of its secrets', async () => {
    const kept = JSON.stringify([await server.events(), server.logged]);
    expect(kept.match(TOKEN_SHAPE)).toBeNull();
  });

  it('needs an operator’s token, and says what is missing', async () => {
    const made = await server.call('POST', '/api/v1/tokens', {
      token: server.operator,
      body: { catalogue: 'writ', name: 'auditor', scopes: ['audit:read'] },
    });
    const told = await writ(['demo'], { WRIT_URL: server.url, WRIT_TOKEN: String(made.body['token']) });
    expect(told).toMatchObject({ exit: 1, out: '' });
    expect(told.err).toContain('This token lacks the scope tokens:read.');
  });
});
