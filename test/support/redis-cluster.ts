import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { ran } from './coverage-report.ts';
import { freePort, type RedisProcess, redisBinary, redisVersion, startRedisProcess } from './redis.ts';

export interface ClusterNode {
  readonly port: number;
  /** SIGKILL: what it held is gone; which slots are its own it still knows when it is started again. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** A client of this very node, without redirection. */
  readonly admin: Redis;
}

/** A real Redis Cluster of three masters, on loopback. */
export interface TestCluster {
  /** As `REDIS_URL` names it: all three. */
  readonly url: string;
  readonly nodes: readonly ClusterNode[];
  /** The node that holds the slot of a key. */
  nodeOf(key: string): Promise<ClusterNode>;
  /** Moves a key's slot to another node, as `redis-cli --cluster reshard` does: marked, its keys one by one, then given. */
  moveSlot(key: string, to: ClusterNode, whileMoving?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

const NODES = 3;
const SLOTS = 16_384;
const JOINED_WITHIN_MS = 60_000;

export async function startRedisCluster(suite: string): Promise<TestCluster> {
  const binary = await redisBinary();
  const folder = mkdtempSync(path.join(tmpdir(), 'writ-redis-cluster-'));
  const nodes = await Promise.all(Array.from({ length: NODES }, (_, index) => startNode(binary, folder, index)));
  await join(nodes.map(({ admin }) => admin));
  await ran(suite, `a Redis Cluster of ${NODES}, ${await redisVersion(binary)} (on this machine)`);
  return {
    url: `redis://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    nodeOf: (key) => holderOf(nodes, key),
    moveSlot: (key, to, whileMoving) => move(nodes, key, to, whileMoving),
    async stop() {
      for (const { admin } of nodes) admin.disconnect();
      await Promise.all(nodes.map((node) => node.kill()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startNode(binary: string, folder: string, index: number): Promise<ClusterNode> {
  const [port, busPort] = [await freePort(), await freePort()];
  const settings = [
    '--cluster-enabled yes',
    `--cluster-port ${busPort}`,
    `--cluster-config-file nodes-${index}.conf`,
    // What the runbook asks for: the loss of a node is the loss of its slots only.
    '--cluster-require-full-coverage no',
    '--cluster-node-timeout 2000',
  ].flatMap((setting) => setting.split(' '));
  const start = (): Promise<RedisProcess> => startRedisProcess(binary, port, folder, settings);
  let process = await start();
  const admin = new Redis(port, '127.0.0.1', { retryStrategy: () => 50, disconnectTimeout: 100 });
  admin.on('error', () => {});
  return {
    port,
    admin,
    kill: () => process.kill(),
    async restart() {
      await process.kill();
      process = await start();
    },
  };
}

async function join(admins: readonly Redis[]): Promise<void> {
  const [first] = admins;
  const perNode = Math.ceil(SLOTS / NODES);
  for (const [index, admin] of admins.entries()) {
    await admin.cluster('SET-CONFIG-EPOCH', index + 1);
    await admin.cluster('ADDSLOTSRANGE', index * perNode, Math.min((index + 1) * perNode, SLOTS) - 1);
    if (admin === first) continue;
    const { port, busPort } = await addressOf(admin);
    await first!.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
  }
  const deadline = performance.now() + JOINED_WITHIN_MS;
  while (!(await Promise.all(admins.map(knowsAll))).every(Boolean)) {
    if (performance.now() > deadline) throw new Error('the Redis Cluster did not form');
    await sleep(50);
  }
}

async function addressOf(admin: Redis): Promise<{ readonly port: string; readonly busPort: string }> {
  const myself = /:(\d+)@(\d+)\S* myself/.exec(String(await admin.cluster('NODES')));
  if (myself === null) throw new Error('a node does not know itself');
  return { port: myself[1]!, busPort: myself[2]! };
}

/** Its state is ok while it still knows of no node for some slots: then a script there is refused. */
const knowsAll = async (admin: Redis): Promise<boolean> => {
  const info = String(await admin.cluster('INFO'));
  const wanted = ['cluster_state:ok', `cluster_known_nodes:${NODES}`, `cluster_slots_ok:${SLOTS}`];
  return wanted.every((line) => info.includes(line));
};

async function holderOf(nodes: readonly ClusterNode[], key: string): Promise<ClusterNode> {
  const slot = Number(await nodes[0]!.admin.cluster('KEYSLOT', key));
  const ranges = await nodes[0]!.admin.cluster('SLOTS');
  const port = ranges.find(([from, to]) => slot >= from && slot <= to)?.[2]?.[1];
  const holder = nodes.find((node) => node.port === port);
  if (holder === undefined) throw new Error(`nobody holds slot ${slot}`);
  return holder;
}

async function move(
  nodes: readonly ClusterNode[],
  key: string,
  to: ClusterNode,
  whileMoving: () => Promise<void> = async () => {},
): Promise<void> {
  const slot = Number(await to.admin.cluster('KEYSLOT', key));
  const from = await holderOf(nodes, key);
  const [fromId, toId] = [String(await from.admin.cluster('MYID')), String(await to.admin.cluster('MYID'))];
  await to.admin.cluster('SETSLOT', slot, 'IMPORTING', fromId);
  await from.admin.cluster('SETSLOT', slot, 'MIGRATING', toId);
  for (;;) {
    const keys = (await from.admin.cluster('GETKEYSINSLOT', slot, 1)) as string[];
    if (keys.length === 0) break;
    await from.admin.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
    await whileMoving();
  }
  // The one that gets it first: no moment in which nobody has it.
  for (const { admin } of [to, from, ...nodes.filter((node) => node !== to && node !== from)]) {
    await admin.cluster('SETSLOT', slot, 'NODE', toId);
  }
}
