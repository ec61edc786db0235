import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ViewStatus } from '../../libs/projection/maintained-view.ts';
import type { Verdict } from '../../libs/proof/verify-export.ts';
import { RetentionRunner } from '../../libs/retention/retention-runner.ts';
import { writ } from '../support/cli.ts';
import { type Answer, createToken, startServer, type TestServer } from '../support/server.ts';
import { verifyText } from '../support/verified-export.ts';

jest.setTimeout(180_000);

const DAY_MS = 24 * 60 * 60_000;
const OWN_STREAMS = ['retention', 'checkpoints', 'usage-', 'journals'];

let dataDir: string;
let server: TestServer;
let token: string;

const asOperator = (method: string, path: string, body?: unknown): Promise<Answer> =>
  server.call(method, path, { token: server.operator, ...(body === undefined ? {} : { body }) });

const textOf = async (path: string): Promise<string> => {
  const headers = { authorization: `Bearer ${server.operator}`, 'x-log-position': String(await server.log.head()) };
  const response = await fetch(server.url + path, { headers });
  expect(`${path} ${response.status}`).toBe(`${path} 200`);
  return await response.text();
};

async function verified(text: string): Promise<Verdict> {
  const { keys } = JSON.parse(await textOf('/api/v1/audit/keys')) as { keys: readonly string[] };
  return verifyText(text, keys);
}

/** What those who ask are told of the token. */
const told = async (): Promise<readonly string[]> => {
  const history = JSON.parse(await textOf(`/api/v1/tokens/${token}/history?limit=200`)) as { items: unknown[] };
  const at = new Date(Date.now() - 1_000).toISOString();
  const then = JSON.parse(await textOf(`/api/v1/tokens/${token}?at=${at}`)) as Record<string, unknown>;
  const audit = JSON.parse(await textOf(`/api/v1/audit?token=${token}&limit=200`)) as { items: unknown[] };
  return [JSON.stringify(history.items), JSON.stringify(then['scopes']), JSON.stringify(audit.items)];
};

/** As the runner of a server would do it sixty days from now. */
const archiveAll = () =>
  new RetentionRunner({
    log: server.parts.log,
    publisher: server.parts.publisher,
    folder: join(dataDir, 'archives'),
    maxAgeDays: 30,
    clock: () => Date.now() + 60 * DAY_MS,
    onFault: (error) => {
      throw error;
    },
  }).run();

async function builtAnew(name: string): Promise<ViewStatus> {
  await asOperator('POST', `/api/v1/admin/projections/${name}/rebuild`, { anew: true });
  for (;;) {
    const { body } = await asOperator('GET', `/api/v1/admin/projections/${name}`);
    if (body['rebuild'] === null) return body as unknown as ViewStatus;
    await sleep(100);
  }
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'writ-retention-'));
  server = await startServer({ dataDir });
  const made = await createToken(server, { catalogue: 'comma', scopes: ['reports:read'], name: 'old' });
  token = made.id;
  for (let n = 0; n < 25; n++) await server.call('GET', '/api/v1/reports', { token: made.token });
  expect((await server.call('POST', '/api/v1/reports', { token: made.token, body: { title: 'no' } })).status).toBe(403);
  // The journal ends with its process.
  await server.close();
  server = await startServer({ dataDir });
});
afterAll(async () => {
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('usage that has grown old', () => {
  it('P6 P9 P10 leaves the log, and everything is told, built and proved as before', async () => {
    const before = await told();
    const exported = await textOf(`/api/v1/audit/export?token=${token}`);
    expect((await verified(exported)).findings).toEqual([]);
    const usesBefore = (await server.events('usage-')).filter(
      ({ data }) => (data as { token?: string }).token === token,
    );
    expect(usesBefore.length).toBeGreaterThanOrEqual(25);

    expect(await archiveAll()).toBe('done');
    const { body } = await asOperator('GET', '/api/v1/admin/retention');
    expect(body).toMatchObject({ max_age_days: null, archives: [{ scavenged: true }], holds: [] });
    expect(readdirSync(join(dataDir, 'archives')).filter((name) => name.endsWith('.db'))).toHaveLength(1);

    expect(await told()).toEqual(before);
    const again = await textOf(`/api/v1/audit/export?token=${token}`);
    expect(await verified(again)).toMatchObject({ findings: [], completeness: 'proved' });
    expect(shownIn(again)).toEqual(shownIn(exported));
    expect((await verified(await textOf('/api/v1/audit/export'))).findings).toEqual([]);

    for (const name of ['audit', 'token-uses', 'transparency']) await builtAnew(name);
    expect(await told()).toEqual(before);
    expect((await verified(await textOf('/api/v1/audit/export'))).findings).toEqual([]);
  });

  it('P6 is there after the next start too, and no start goes without it', async () => {
    const before = await told();
    await server.close();
    server = await startServer({ dataDir });
    expect(await told()).toEqual(before);
    const whole = await server.events();
    expect(whole.map(({ position }) => position)).toEqual(whole.map((_, index) => index + 1));
    expect(whole.some(({ stream }) => OWN_STREAMS.every((own) => !stream.startsWith(own)))).toBe(true);
  });

  it('stays where a legal hold is in force, as the command line shows and says', async () => {
    const env = { WRIT_URL: server.url, WRIT_TOKEN: server.operator };
    const held = await writ(['retention', 'hold', '--reason', 'case 7'], env);
    expect(held).toMatchObject({ exit: 0, out: expect.stringMatching(/Legal hold (\w{26}) is in force/) });
    const [, hold = ''] = /Legal hold (\w{26})/.exec(held.out) ?? [];
    expect(await archiveAll()).toBe('on-hold');
    const shown = await writ(['retention', 'show'], env);
    expect(shown.out).toMatch(/Usage stays in the log for ever\.\nLEGAL HOLD \w{26} since .*: case 7\nwrit-archive-/);
    expect((await writ(['retention', 'run'], env)).err).toMatch(/kept for ever here/);
    expect((await writ(['retention', 'release', hold], env)).exit).toBe(2);
    expect(await writ(['retention', 'release', hold, '--reason', 'closed'], env)).toMatchObject({ exit: 0 });
    const twice = await writ(['retention', 'release', hold, '--reason', 'closed'], env);
    expect(twice).toMatchObject({ exit: 1, err: expect.stringMatching(/no such legal hold/) });
    const holds = (await server.events('retention')).filter(({ type }) => type.startsWith('LegalHold'));
    expect(holds.map(({ type, data }) => [type, (data as { reason: string }).reason])).toEqual([
      ['LegalHoldPlaced', 'case 7'],
      ['LegalHoldLifted', 'closed'],
    ]);
    expect(holds[0]?.metadata).toMatchObject({ actor: { person: { id: expect.any(String) } } });
  });

  it('P12 a hold without a reason is none; a token without the scope places none', async () => {
    expect((await asOperator('POST', '/api/v1/admin/legal-holds', { reason: '' })).status).toBe(422);
    const reader = await createToken(server, { catalogue: 'writ', scopes: ['audit:read'], name: 'auditor' });
    const asReader = { token: reader.token, body: { reason: 'mine' } };
    expect((await server.call('POST', '/api/v1/admin/legal-holds', asReader)).status).toBe(403);
    expect((await server.call('GET', '/api/v1/admin/retention', { token: reader.token })).status).toBe(200);
    expect((await server.call('POST', '/api/v1/admin/retention/run', { token: reader.token })).status).toBe(403);
  });
});

/** The events an export shows, as they were stored. */
const shownIn = (exported: string): readonly string[] =>
  exported.split('\n').filter((line) => line.startsWith('{"kind":"event"') && line.includes(token));
