import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy on loopback that can break connections off in the middle of what is being said. */
export interface CuttingProxy {
  readonly port: number;
  /** The next connection that carries so many bytes, of the side named, is broken off there; and so are all others. */
  cutAfter(bytes: number, side: 'client' | 'server'): void;
  /** Whether a cut that was asked for has been made. */
  readonly cut: boolean;
  /** While true, who connects is turned away at once. */
  away: boolean;
  close(): Promise<void>;
}

export async function startCuttingProxy(
  target: { readonly host: string; readonly port: number } | string,
): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let left = Number.POSITIVE_INFINITY;
  let watched: 'client' | 'server' = 'server';
  const breakAll = (): void => {
    left = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const pass = (from: Socket, to: Socket, side: 'client' | 'server'): void => {
    from.on('data', (bytes: Buffer) => {
      if (side !== watched || bytes.length <= left) {
        if (side === watched) left -= bytes.length;
        if (!to.write(bytes)) from.pause();
        return;
      }
      to.write(bytes.subarray(0, left), breakAll);
      left = 0;
    });
    to.on('drain', () => from.resume());
    from.on('end', () => to.end());
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    sockets.add(client);
    client.on('close', () => sockets.delete(client));
    if (proxy.away) {
      client.resetAndDestroy();
      return;
    }
    const upstream = typeof target === 'string' ? connect(target) : connect({ ...target, allowHalfOpen: true });
    sockets.add(upstream);
    upstream.on('close', () => sockets.delete(upstream));
    pass(client, upstream, 'client');
    pass(upstream, client, 'server');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = {
    port: (server.address() as AddressInfo).port,
    away: false,
    get cut(): boolean {
      return left === Number.POSITIVE_INFINITY;
    },
    cutAfter(bytes: number, side: 'client' | 'server'): void {
      left = bytes;
      watched = side;
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
