import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { ran } from './coverage-report.ts';
import { freePort, redisBinary, type RedisProcess, redisVersion, startRedisProcess } from './redis.ts';

/** A real Redis that can be emptied, restarted, and replaced at its address by a replica that has fallen behind. */
export interface ReplicatedRedis {
  readonly url: string;
  flush(): Promise<void>;
  /** SIGKILL, and again with nothing. */
  restart(): Promise<void>;
  /** From here on a replica holds everything the server has now, and learns of nothing that is written after. */
  fallBehind(): Promise<void>;
  /** The server is killed; the replica that fell behind is promoted and listens in its place. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

interface Replica {
  readonly process: RedisProcess;
  readonly admin: Redis;
}

const SYNCED_WITHIN_MS = 30_000;

export async function startReplicatedRedis(suite: string): Promise<ReplicatedRedis> {
  const binary = await redisBinary();
  const folder = mkdtempSync(path.join(tmpdir(), 'writ-redis-replica-'));
  const [port, nowhere] = [await freePort(), await freePort()];
  const start = (): Promise<RedisProcess> =>
    startRedisProcess(binary, port, folder, ['--repl-diskless-sync-delay', '0']);
  let server = await start();
  let replica: Replica | null = null;
  const stopReplica = async (): Promise<void> => {
    replica?.admin.disconnect();
    await replica?.process.kill();
    replica = null;
  };
  await ran(suite, `${await redisVersion(binary)} with a replica (on this machine)`);
  return {
    url: `redis://127.0.0.1:${port}`,
    flush: () => withAdmin(port, async (admin) => void (await admin.flushall())),
    async restart() {
      await server.kill();
      server = await start();
    },
    async fallBehind() {
      await stopReplica();
      const ownPort = await freePort();
      const process = await startRedisProcess(
        binary,
        ownPort,
        folder,
        ['--repl-diskless-sync-delay 0', `--replicaof 127.0.0.1 ${port}`].flatMap((setting) => setting.split(' ')),
      );
      const admin = client(ownPort);
      replica = { process, admin };
      await synced(admin);
      // What it has it keeps; from a master that is nowhere it learns nothing.
      await admin.replicaof('127.0.0.1', nowhere);
    },
    async failOver() {
      if (replica === null) throw new Error('no replica has fallen behind');
      await server.kill();
      await replica.admin.replicaof('NO', 'ONE');
      await replica.admin.config('SET', 'port', port);
      replica.admin.disconnect();
      server = replica.process;
      replica = null;
    },
    async stop() {
      await stopReplica();
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function client(port: number): Redis {
  const admin = new Redis(port, '127.0.0.1', { disconnectTimeout: 100 });
  admin.on('error', () => {});
  return admin;
}

async function withAdmin(port: number, work: (admin: Redis) => Promise<void>): Promise<void> {
  const admin = client(port);
  try {
    await work(admin);
  } finally {
    admin.disconnect();
  }
}

async function synced(admin: Redis): Promise<void> {
  const deadline = performance.now() + SYNCED_WITHIN_MS;
  while (!(await admin.info('replication')).includes('master_link_status:up')) {
    if (performance.now() > deadline) throw new Error('the replica did not come up to its master');
    await sleep(20);
  }
}
