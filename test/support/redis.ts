import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { aptInstall, canInstall, output } from './apt.ts';
import { ran } from './coverage-report.ts';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** What it is, for the report: `Redis 7.0.15 (on this machine)`. */
  readonly what: string;
  stop(): Promise<void>;
}

/** Of a server of its own: it may be flushed, stopped, and started again at the same port. */
export interface OwnRedis extends TestRedis {
  restart(): Promise<void>;
}

const READY_WITHIN_MS = 30_000;

/** A real Redis: the one `REDIS_URL` names (keep to a namespace of your own there), else as `startOwnRedis`. */
export async function startRedis(suite: string): Promise<TestRedis> {
  const url = process.env['REDIS_URL'];
  if (url === undefined || url === '') return await startOwnRedis(suite);
  const redis = { url, port: Number(new URL(url).port || 6379), what: 'Redis (REDIS_URL)', stop: async () => {} };
  await ran(suite, redis.what);
  return redis;
}

/**
 * A Redis of the test's own, from the binary on this machine, else installed with apt (root on Debian). Throws where
 * none can be had: never a skip.
 */
export async function startOwnRedis(suite: string, settings: readonly string[] = []): Promise<OwnRedis> {
  const binary = await redisBinary();
  const folder = mkdtempSync(path.join(tmpdir(), 'writ-redis-'));
  const port = await freePort();
  const start = () => startRedisProcess(binary, port, folder, settings);
  let server = await start();
  const what = `${await redisVersion(binary)} (on this machine)`;
  await ran(suite, what);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    what,
    async restart() {
      await server.kill();
      server = await start();
    },
    async stop() {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const installed = (): string | null =>
  ['/usr/bin', ...(process.env['PATH'] ?? '').split(path.delimiter)]
    .map((folder) => path.join(folder, 'redis-server'))
    .find((file) => existsSync(file)) ?? null;

/** Throws where none can be had: never a skip. */
export async function redisBinary(): Promise<string> {
  const found = installed();
  if (found !== null) return found;
  if (!canInstall())
    throw new Error('no Redis: set REDIS_URL, or install redis-server (as root on Debian, the tests do it themselves)');
  await aptInstall('redis-server', () => installed() !== null);
  const now = installed();
  if (now === null) throw new Error('redis-server was installed, but is not on PATH');
  return now;
}

export const redisVersion = async (binary: string): Promise<string> =>
  `Redis ${/v=(\S+)/.exec(await output(binary, '--version'))?.[1] ?? 'of unknown version'}`;

export interface RedisProcess {
  /** SIGKILL: nothing here is kept. */
  kill(): Promise<void>;
}

/** A server that keeps nothing on disk; resolves once it answers. */
export async function startRedisProcess(
  binary: string,
  port: number,
  folder: string,
  settings: readonly string[] = [],
): Promise<RedisProcess> {
  const kept = ['--dir', folder, '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  const all = ['--port', String(port), '--bind', '127.0.0.1', ...kept, ...settings];
  const server = spawn(binary, all, { cwd: folder, stdio: 'ignore' });
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await answers(port))) {
    if (server.exitCode !== null || performance.now() > deadline) {
      await end(server);
      throw new Error(`redis-server did not start on port ${port}`);
    }
    await sleep(25);
  }
  return { kill: () => end(server) };
}

async function answers(port: number): Promise<boolean> {
  const client = new Redis(port, '127.0.0.1', {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 1_000,
    // Else a timer of a refused connection keeps the process for 2 s.
    disconnectTimeout: 100,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGKILL');
  await ended;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject()));
    });
  });
}
