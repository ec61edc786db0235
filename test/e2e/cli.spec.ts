import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readOperatorToken } from '../../libs/founding/operator-token-file.ts';
import { type CliRun, writ } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

describe('writ at the real server', () => {
  let server: TestServer;
  const run = (line: string, env: NodeJS.ProcessEnv = {}): Promise<CliRun> =>
    writ(line.split(' '), { WRIT_URL: server.url, DATA_DIR: server.dataDir, ...env });
  const secretOf = ({ out }: CliRun): string => out.trimEnd().split('\n').at(-1) ?? '';
  const idOf = (token: string): string => token.slice('comma_sk_'.length, 'comma_sk_'.length + 26);

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    await server.close();
  });

  it('P2 P5 leads a token through its whole life and reads it back', async () => {
    const made = await run('token create --catalogue comma --name agent --scope reports:read,reports:write --reads 5');
    const token = secretOf(made);
    const id = idOf(token);
    expect(made.exit).toBe(0);
    const asAgent = { WRIT_TOKEN: token };

    expect((await run('me', asAgent)).out).toMatch(/^reads a minute +1 used of 5$/m);
    const refused = await run('token list', asAgent);
    expect(refused).toMatchObject({ exit: 1, out: '' });
    expect(refused.err).toMatch(/^Forbidden \(403\): This token lacks the scope tokens:read\./);
    const [, request] = /request (\S+)/.exec(refused.err) ?? [];
    expect((await run(`why ${request}`)).out).toMatch(/^rule +missing_scope: the token lacks tokens:read$/m);

    expect((await run(`token change ${id} --reads 1`)).out).toMatch(/^reads a minute +1 used of 1$/m);
    expect((await run('me', asAgent)).err).toMatch(/^Too many requests \(429\)/);
    expect((await run(`token change ${id} --reads default`)).out).toMatch(/used of 600$/m);
    expect((await run(`token change ${id} --name helper`)).out).toMatch(/^name +helper$/m);
    expect((await run(`token change ${id} --scope reports:read`)).out).toMatch(/^scopes +reports:read$/m);
    expect((await run(`token suspend ${id}`)).out).toMatch(/^status +suspended$/m);
    expect((await run(`token resume ${id}`)).out).toMatch(/^status +active$/m);

    const beside = secretOf(await run(`token rotate ${id} --overlap 1h`));
    expect([(await run('me', asAgent)).exit, (await run('me', { WRIT_TOKEN: beside })).exit]).toEqual([0, 0]);
    const after = secretOf(await run(`token rotate ${idOf(beside)} --now`));
    expect([(await run('me', { WRIT_TOKEN: beside })).exit, (await run('me', { WRIT_TOKEN: after })).exit]).toEqual([
      1, 0,
    ]);

    expect((await run(`token revoke ${id} --reason leak --note chat`)).out).toMatch(/^status +revoked$/m);
    expect((await run('me', asAgent)).err).toMatch(/^Unauthorized \(401\)/);

    const history = await run(`token history ${id} --all`);
    const types = history.out.split('\n').map((line) => line.split(/ +/)[1]);
    const changes = types.filter((type) => type?.startsWith('Token') && type !== 'TokenUsed');
    const life = 'Created LimitsChanged LimitsChanged Renamed Scoped Suspended Resumed Rotated Revoked';
    expect(changes).toEqual(life.split(' ').map((word) => `Token${word}`));
    expect(history.out).toMatch(/TokenRevoked +leak: chat/);
    // One page at a time says the same as all at once.
    const pages = (await run(`token history ${id} --limit 3 --json`)).out.trimEnd().split('\n');
    expect(pages).toHaveLength(1);
    expect((JSON.parse(pages[0]!) as { items: unknown[] }).items).toHaveLength(3);
    expect((await run('token list --all')).out.match(/comma/g)).toHaveLength(3);

    // No secret came back in any of it, nor into the server's log.
    for (const secret of [token, beside, after]) {
      expect(history.out + server.logged.join('\n')).not.toContain(secret.slice(-38));
    }
  });

  it('changes several things in one step, and none when the token moved on meanwhile', async () => {
    const made = await run('token create --catalogue comma --name ci --scope reports:read --expires 12h --json');
    const { id } = JSON.parse(made.out) as { readonly id: string };
    const [, before] = /^revision +(\d+)$/m.exec((await run(`token show ${id}`)).out) ?? [];
    expect(before).toMatch(/^\d+$/);

    const changed = await run(
      `token change ${id} --name nightly --reads 7 --writes 2 --expires never --if-match ${before}`,
    );
    expect(changed).toMatchObject({ exit: 0, err: '' });
    expect(changed.out).toMatch(/^name +nightly$/m);
    expect(changed.out).toMatch(/^reads a minute +0 used of 7$/m);
    expect(changed.out).toMatch(/^writes a minute +0 used of 2$/m);
    expect(changed.out).toMatch(/^expires +never$/m);

    const late = await run(`token change ${id} --name weekly --if-match ${before}`);
    expect(late).toMatchObject({ exit: 1, out: '' });
    expect(late.err).toMatch(/\(412\)/);
    expect((await run(`token show ${id}`)).out).toMatch(/^name +nightly$/m);

    const back = await run(`token change ${id} --reads default --scope reports:read,comments:read --json`);
    expect(JSON.parse(back.out)).toMatchObject({
      limits: { reads: { per_minute: 600 }, writes: { per_minute: 2 } },
      scopes: ['comments:read', 'reports:read'],
      expires_at: null,
    });
  });

  it('refuses to touch a log that a server has open', async () => {
    const { exit, err } = await run('recover');
    expect(exit).toBe(1);
    expect(err).toMatch(/in use by another Writ/);
  });
});

describe('writ on the log itself', () => {
  let dataDir: string;
  const run = (line: string, tty = false): Promise<CliRun> => writ(line.split(' '), { DATA_DIR: dataDir }, { tty });

  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'writ-init-'));
  });
  afterAll(() => {
    rmSync(dataDir, { recursive: true });
  });

  it('founds once; recovers with a new token that works; P5 shows it to a terminal only', async () => {
    expect((await run('init')).out).toMatch(/^Founded workspace \S+\.\nOperator token: in \S+\n$/);
    const first = readOperatorToken(dataDir);
    expect((await run('init')).out).toMatch(/There is a workspace already/);
    expect(readOperatorToken(dataDir)).toBe(first);

    const recovered = await run('recover', true);
    const second = readOperatorToken(dataDir);
    expect(second).not.toBe(first);
    expect(recovered.out.trimEnd().split('\n').at(-1)).toBe(second);
    expect(recovered.err).not.toContain(second);

    const server = await startServer({ dataDir });
    try {
      expect((await writ(['me'], { WRIT_URL: server.url, DATA_DIR: dataDir })).exit).toBe(0);
      expect((await server.call('GET', '/api/v1/me', { token: first })).status).toBe(200);
    } finally {
      await server.close();
    }
  });

  it('recovers nothing where nothing was founded, and makes no folder', async () => {
    const elsewhere = join(dataDir, 'misspelt');
    const { exit, err } = await writ(['recover'], { DATA_DIR: elsewhere });
    expect(exit).toBe(1);
    expect(err).toMatch(/There is no folder/);
    expect(existsSync(elsewhere)).toBe(false);
  });

  it('runs as a program of its own', () => {
    const help = execFileSync(process.execPath, ['dist/apps/cli/main.js', '--help'], { encoding: 'utf8' });
    expect(help).toMatch(/^Usage: writ <command> \[options\]/);
  });
});
