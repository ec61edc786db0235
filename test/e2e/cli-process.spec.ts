import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startServer, type TestServer } from '../support/server.ts';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** One `writ …` as a process of its own: the built program, its arguments, its pipes. */
async function writ(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, ['dist/apps/cli/main.js', ...args], {
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, out, err };
}

describe('writ as a program', () => {
  let server: TestServer;
  const run = (line: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    writ(line.split(' '), { WRIT_URL: server.url, DATA_DIR: server.dataDir, ...env });

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    await server.close();
  });

  it('P5 ends its output in the secret alone, which works, and says it nowhere else', async () => {
    const { code, out, err } = await run('token create --catalogue comma --name ci --scope reports:read --expires 30d');
    const secret = out.trimEnd().split('\n').at(-1) ?? '';
    expect(code).toBe(0);
    expect(out.split(secret)).toHaveLength(2);
    expect(err).toMatch(/shown this once/);
    expect(err).not.toContain(secret);

    const me = await run('me --json', { WRIT_TOKEN: secret });
    expect(me).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(me.out)).toMatchObject({ name: 'ci', catalogue: 'comma', scopes: ['reports:read'] });
  });

  it('asks this machine’s PORT when no WRIT_URL is set', async () => {
    const { DATA_DIR, PORT } = { DATA_DIR: server.dataDir, PORT: new URL(server.url).port };
    expect(await writ(['me'], { DATA_DIR, PORT })).toMatchObject({ code: 0, err: '' });
  });

  it('ends with 1 refused, 2 wrong usage, 3 unreachable, and an empty stdout', async () => {
    const refused = await run('token create --catalogue comma --name ci --scope nonsense');
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(/scopes/);

    const wrong = await run('token change 01J9ZK3V8Q6T4W2Y0B7D5F1G3H');
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toMatch(/Name what to change/);

    const unreachable = await run('me', { WRIT_URL: `http://127.0.0.1:${await closedPort()}` });
    expect(unreachable).toMatchObject({ code: 3, out: '' });
    expect(unreachable.err).toMatch(/^No answer from/);
  });

  it('leaves the log to the server that has it open, and to EventStoreDB what is its', async () => {
    const inUse = await run('init');
    expect(inUse).toMatchObject({ code: 1, out: '' });
    expect(inUse.err).toMatch(/in use by another Writ; stop it first/);

    const elsewhere = await run('recover', { EVENTSTORE_URL: 'esdb://127.0.0.1:2113' });
    expect(elsewhere).toMatchObject({ code: 2, out: '' });
    expect(elsewhere.err).toMatch(/EVENTSTORE_URL is set, so REDIS_URL and DATABASE_URL must be too/);
  });

  it('stops quietly when its reader has seen enough', async () => {
    const child = spawn(process.execPath, ['dist/apps/cli/main.js', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const [err] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect({ code: child.exitCode, err }).toEqual({ code: 0, err: '' });
  });
});

/** A port that was free a moment ago, so that nobody listens on it. */
async function closedPort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}
