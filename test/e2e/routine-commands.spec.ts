import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type CliRun, writ } from '../support/cli.ts';
import { eventually, runsOf, TestClock } from '../support/routines.ts';
import { createToken, startServer, type TestServer } from '../support/server.ts';

jest.setTimeout(120_000);

const WEEKLY = `
name: Weekly report
schedule: { cron: '@weekly', time_zone: Europe/Berlin }
steps:
  - operation: create_report
    input: { title: { $from: run.day }, body: All is well. }
`;

describe('writ routine', () => {
  const clock = new TestClock();
  let server: TestServer;
  let folder: string;
  let agent: { readonly id: string; readonly token: string };
  let file: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'writ-routine-'));
    file = join(folder, 'weekly.yaml');
    writeFileSync(file, WEEKLY);
    server = await startServer({}, clock.now);
    const scopes = ['reports:read', 'reports:write', 'routines:write'];
    agent = await createToken(server, { catalogue: 'comma', scopes, name: 'weekly-agent' });
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  const routine = (args: readonly string[], token = agent.token): Promise<CliRun> =>
    writ(['routine', ...args], { WRIT_URL: server.url, WRIT_TOKEN: token });
  const idIn = ({ out }: CliRun): string => /^id +(\w{26})$/m.exec(out)?.[1] ?? '';

  it('creates one from a file, runs it, and shows what it did, step by step', async () => {
    const made = await routine(['create', '--file', file]);
    expect(made).toMatchObject({ exit: 0, out: expect.stringContaining('@weekly Europe/Berlin') });
    const id = idIn(made);
    expect((await routine(['run', id])).out).toMatch(/^Run \w+ is opened/);
    const [run] = await eventually(async () => {
      const runs = await runsOf(server, id);
      return runs[0]?.status === 'succeeded' ? runs : null;
    });
    expect((await routine(['runs', id])).out).toContain('succeeded');
    expect((await routine(['runs', id, String(run?.id)])).out).toMatch(/0 +create_report +201/);
    expect((await routine(['list'])).out).toMatch(/Weekly report +active/);
  });

  it('changes, pauses, resumes and deletes one', async () => {
    const id = idIn(await routine(['create', '--file', file]));
    writeFileSync(join(folder, 'name.json'), '{"name": "Monthly report"}');
    const change = ['change', id, '--file', join(folder, 'name.json'), '--if-revision'];
    expect(await routine([...change, '7'])).toMatchObject({ exit: 1 });
    expect((await routine([...change, '0'])).out).toContain('Monthly report');
    expect((await routine(['pause', id, '--note', 'for now'])).out).toMatch(/paused +by_hand at .* for now/);
    expect((await routine(['list', '--status', 'paused'])).out).toContain('paused: by_hand');
    expect((await routine(['resume', id])).out).toMatch(/status +active/);
    expect((await routine(['delete', id])).exit).toBe(0);
    expect((await routine(['show', id])).out).toMatch(/status +deleted/);
  });

  it('an operator says whose it is, and reaches all of them', async () => {
    expect(await routine(['create', '--file', file], server.operator)).toMatchObject({ exit: 1 });
    const made = await routine(['create', '--file', file, '--token', agent.id], server.operator);
    expect(made.exit).toBe(0);
    expect((await routine(['show', idIn(made)], server.operator)).out).toContain('Weekly report');
    const scopes = ['reports:read', 'reports:write', 'routines:write'];
    const heir = await createToken(server, { catalogue: 'comma', scopes, name: 'heir' });
    const change = ['change', idIn(made), '--token', heir.id];
    expect(await routine(change)).toMatchObject({ exit: 1 });
    expect((await routine(change, server.operator)).out).toMatch(new RegExp(`lineage +${heir.id}`));
    expect(await routine(['change', idIn(made)], server.operator)).toMatchObject({
      exit: 2,
      err: expect.stringContaining('--file or --token'),
    });
  });

  it.each([
    ['is not there', 'none.yaml', null, /cannot be read/],
    ['is no YAML', 'bad.yaml', 'a: [', /neither JSON nor YAML/],
    ['holds a list', 'list.yaml', '- 1', /must hold one routine/],
  ])('a file that %s is wrong usage', async (_what, name, content, words) => {
    if (content !== null) writeFileSync(join(folder, name), content);
    expect(await routine(['create', '--file', join(folder, name)])).toMatchObject({
      exit: 2,
      err: expect.stringMatching(words),
    });
  });
});
