import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { GenericContainer, Wait } from 'testcontainers';
import { ran } from './coverage-report.ts';

export interface TestPostgres {
  /** Of a database of its own. */
  readonly url: string;
  /** What it is, for the report: `PostgreSQL 15 (on this machine)`. */
  readonly what: string;
  stop(): Promise<void>;
}

const run = promisify(execFile);

/**
 * A real PostgreSQL: the one `DATABASE_URL` names (in a fresh database), else one started from the binaries on this
 * machine, else installed with apt (root on Debian), else in Docker. Throws where none can be had: never a skip.
 */
export async function startPostgres(suite: string): Promise<TestPostgres> {
  const postgres = await anyPostgres();
  await ran(suite, postgres.what);
  return postgres;
}

async function anyPostgres(): Promise<TestPostgres> {
  const url = process.env['DATABASE_URL'];
  if (url !== undefined && url !== '') return await freshDatabase(url);
  const found = binaries();
  if (found !== null) return await startServer(found);
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['update'], { env });
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'postgresql'], { env });
    const installed = binaries();
    if (installed !== null) return await startServer(installed);
  }
  return await startContainer();
}

async function freshDatabase(server: string): Promise<TestPostgres> {
  const name = `writ_test_${randomUUID().replaceAll('-', '')}`;
  await withClient(server, (client) => client.query(`create database ${name}`));
  const url = new URL(server);
  url.pathname = `/${name}`;
  const stop = () => withClient(server, (client) => client.query(`drop database ${name} with (force)`));
  return { url: url.href, what: 'PostgreSQL (DATABASE_URL)', stop };
}

async function withClient(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** The newest of Debian's, else what PATH leads to. */
function binaries(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => path.join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(path.delimiter),
  ];
  return folders.find((folder) => ['initdb', 'postgres'].every((file) => existsSync(path.join(folder, file)))) ?? null;
}

/** PostgreSQL refuses to run as root: then its own user runs it, else nobody. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, user], { stdio: 'pipe' }).toString());
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such user: the next one.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody');
}

async function startServer(bin: string): Promise<TestPostgres> {
  const user = unprivileged();
  const folder = mkdtempSync(path.join(tmpdir(), 'writ-pg-'));
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = path.join(folder, 'data');
  const options = { ...user, cwd: folder };
  await run(path.join(bin, 'initdb'), ['-D', data, '-U', 'writ', '-A', 'trust', '-E', 'UTF8', '--no-sync'], options);
  const port = await freePort();
  const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off', '-c', 'max_connections=50'];
  const server = spawn(path.join(bin, 'postgres'), ['-D', data, '-p', String(port), '-k', folder, ...settings], {
    ...options,
    stdio: 'ignore',
  });
  const url = `postgres://writ@127.0.0.1:${port}/postgres`;
  const stop = async () => {
    await end(server);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(url, server);
  } catch (error) {
    await stop();
    throw error;
  }
  const { stdout } = await run(path.join(bin, 'postgres'), ['--version']);
  return { url, what: `${stdout.trim()} (on this machine)`, stop };
}

async function startContainer(): Promise<TestPostgres> {
  const container = await new GenericContainer('postgres:17')
    .withEnvironment({ POSTGRES_USER: 'writ', POSTGRES_HOST_AUTH_METHOD: 'trust' })
    .withExposedPorts(5432)
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
    .start();
  const url = `postgres://writ@${container.getHost()}:${container.getMappedPort(5432)}/writ`;
  return { url, what: 'PostgreSQL 17 (Docker)', stop: async () => void (await container.stop()) };
}

async function answers(url: string, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    try {
      await withClient(url, (client) => client.query('select 1'));
      return;
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

/** SIGINT: PostgreSQL's fast shutdown. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGINT');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
