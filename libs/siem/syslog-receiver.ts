import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { EventRecord } from '../transparency/event-record.ts';
import { NotTaken, type Receiver, SILENT_MS, type Taken } from './receiver.ts';
import { syslogFrame } from './syslog-message.ts';

export interface SyslogOptions {
  readonly host: string;
  readonly port: number;
  /** RFC 5425; null: plain TCP. Roots beside the system's come by NODE_EXTRA_CA_CERTS. */
  readonly tls: Pick<ConnectionOptions, 'ca'> | null;
}

const TURNED_AWAY_MS = 20;

/**
 * Syslog over TCP or TLS, a connection a batch. The protocol has no acknowledgement, so the connection's end is taken
 * for one: after our end the receiver ends too, which it does once it has read all; unread data would be a reset.
 */
export class SyslogReceiver implements Receiver {
  readonly #options: SyslogOptions;
  readonly #hostname =
    hostname()
      .replaceAll(/[^\x21-\x7e]/g, '')
      .slice(0, 255) || '-';

  constructor(options: SyslogOptions) {
    this.#options = options;
  }

  async send(records: readonly EventRecord[], signal: AbortSignal): Promise<Taken> {
    const { tls } = this.#options;
    const socket = this.#connect();
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    let failure: Error | null = null;
    const fail = (reason: Error): void => {
      failure ??= reason;
      socket.destroy();
    };
    const giveUp = (): void => fail(new Error('it was stopped'));
    signal.addEventListener('abort', giveUp);
    socket.on('error', fail);
    socket.setTimeout(SILENT_MS, () => fail(new Error(`it said nothing for ${SILENT_MS / 1000} s`)));
    let ended = false;
    socket.on('end', () => {
      if (!ended) fail(new Error('it ended the connection before it had all'));
    });
    socket.resume();
    try {
      const openedMs = performance.now();
      await Promise.race([once(socket, tls === null ? 'connect' : 'secureConnect'), closed]);
      const roundTripMs = performance.now() - openedMs;
      const frames = records.map((record) => syslogFrame(record, this.#hostname, process.pid));
      if (!socket.write(Buffer.concat(frames))) await Promise.race([once(socket, 'drain'), closed]);
      // Who turns us away ends at once, unread: that is heard before our end, not taken for its answer.
      await sleep(Math.max(TURNED_AWAY_MS, roundTripMs), undefined, { signal });
      ended = true;
      socket.end();
    } catch (error) {
      fail(error as Error);
    }
    await closed;
    signal.removeEventListener('abort', giveUp);
    if (failure === null && !socket.readableEnded) failure = new Error('it broke the connection off');
    if (failure !== null) throw new NotTaken(`the receiver did not take it: ${(failure as Error).message}`);
    return { rejected: 0 };
  }

  #connect(): Socket {
    const { host, port, tls } = this.#options;
    return tls === null ? connect({ host, port }) : connectTls({ host, port, ...tls });
  }
}
