import { ClusterConnection } from './cluster-connection.ts';
import type { Connection, ConnectionOptions } from './connection.ts';
import { ServerConnection } from './server-connection.ts';

/**
 * To one server, or to the Redis Cluster it says it belongs to; several nodes may be named, `redis://a:6379,b:6379`, so
 * that a start needs no certain one of them. @throws Error where none can be reached, or one may evict keys
 */
export async function openConnection({ url, commandTimeoutMs }: ConnectionOptions): Promise<Connection> {
  const seeds = seedsOf(url);
  if (seeds.length > 1) return await ClusterConnection.open({ seeds, commandTimeoutMs });
  const server = await ServerConnection.open({ url, commandTimeoutMs });
  if (!server.clustered) return server;
  server.close();
  return await ClusterConnection.open({ seeds, commandTimeoutMs });
}

/** Scheme and credentials are the first one's. */
function seedsOf(url: string): URL[] {
  const [first = '', ...others] = url.split(',');
  const { protocol } = new URL(first);
  return [new URL(first), ...others.map((host) => new URL(host.includes('://') ? host : `${protocol}//${host}`))];
}
