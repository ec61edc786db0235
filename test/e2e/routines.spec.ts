import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Body, createToken, startServer, type TestServer } from '../support/server.ts';

jest.setTimeout(180_000);

const MINUTE_MS = 60_000;
const SCOPES = ['reports:read', 'reports:write', 'comments:read', 'comments:write', 'routines:write'];

interface Made {
  readonly id: string;
  readonly token: string;
}

interface Run extends Body {
  readonly id: string;
  readonly status: string;
  readonly steps: readonly Body[];
}

describe('routines', () => {
  let server: TestServer;
  let nightly: Made;
  /** Ahead of the machine's clock: a minute passes when a test says so. */
  let aheadMs = 0;
  const now = (): number => Date.now() + aheadMs;

  beforeAll(async () => {
    // At the beginning of a minute, so that none passes unasked.
    aheadMs = MINUTE_MS - (Date.now() % MINUTE_MS) + 1_000;
    server = await startServer({}, now);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    nightly = await createToken(server, { catalogue: 'comma', scopes: SCOPES, name: 'nightly' });
  });

  const ask = (method: string, path: string, body?: object, token = nightly.token): Promise<Answer> =>
    server.call(method, `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) });
  const define = (more: object = {}): object => ({
    name: 'Weekly report',
    schedule: { cron: '* * * * *', time_zone: 'Europe/Berlin' },
    steps: [
      { operation: 'create_report', input: { title: { $from: 'run.day' }, body: 'All is well.' } },
      { operation: 'add_comment', input: { id: { $from: 'steps.0.id' }, body: 'Written by itself.' } },
    ],
    ...more,
  });
  const create = async (more: object = {}, token = nightly.token): Promise<string> => {
    const made = await ask('POST', '/routines', define(more), token);
    expect(made).toMatchObject({ status: 201 });
    return String(made.body['id']);
  };
  /** Looks until it is so; the runner works on its own. */
  const eventually = async <Value>(look: () => Promise<Value | null>): Promise<Value> => {
    for (let tries = 0; tries < 200; tries++) {
      const found = await look();
      if (found !== null) return found;
      await sleep(100);
    }
    throw new Error('it did not come about');
  };
  const runs = async (routine: string): Promise<Run[]> => {
    const page = await server.call('GET', `/api/v1/admin/routines/${routine}/runs`, { token: server.operator });
    const items = (page.body['items'] ?? []) as Run[];
    const details = items.map(async ({ id }) => {
      const path = `/api/v1/admin/routines/${routine}/runs/${id}`;
      return (await server.call('GET', path, { token: server.operator })).body as Run;
    });
    return Promise.all(details);
  };
  const ended = (routine: string, count = 1): Promise<Run[]> =>
    eventually(async () => {
      const all = await runs(routine);
      const over = all.filter(({ ended_at: at }) => at !== null);
      return over.length >= count ? over : null;
    });

  it('runs its steps at its slot, each seen in what the run tells and in what it wrote', async () => {
    const routine = await create();
    aheadMs += MINUTE_MS;
    const [run] = await ended(routine);
    expect(run).toMatchObject({ status: 'succeeded', trigger: 'schedule', missed_since: null, steps_done: 2 });
    expect(run?.['token']).toEqual({ id: nightly.id, label: 'nightly' });
    expect(run?.steps).toMatchObject([
      { operation: 'create_report', decision: 'allowed', status: 201, token: nightly.id, label: 'nightly' },
      { operation: 'add_comment', decision: 'allowed', status: 201, token: nightly.id, label: 'nightly' },
    ]);
    const report = (await ask('GET', '/reports')).body['items'] as Body[];
    expect(report[0]).toMatchObject({
      title: new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Berlin' }).format(now()),
      by: { text: 'Operator (nightly) · via routine · just now', face: 'routine' },
    });
  });
});
