import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** A little syslog receiver over TCP or TLS: frames by octet counting (RFC 6587 §3.4.1), messages as RFC 5424. */
export interface SyslogServer {
  readonly port: number;
  readonly messages: readonly SyslogMessage[];
  /** `breaks-off`: reads some, and drops the connection. `turns-away`: ends it before it reads. `silent`: never ends it. */
  behaviour: 'well' | 'breaks-off' | 'turns-away' | 'silent';
  close(): Promise<void>;
}

export interface SyslogMessage {
  readonly priority: number;
  readonly time: string;
  readonly app: string;
  readonly id: string;
  readonly structured: string;
  readonly text: string;
  readonly bytes: number;
}

/** RFC 5424 §6: PRI VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP STRUCTURED-DATA SP BOM MSG. */
const MESSAGE =
  /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) (-|(?:\[[^\]]*\])+) \uFEFF(.*)$/su;

export async function startSyslogServer(
  tls: { readonly key: Buffer; readonly cert: Buffer } | null = null,
  port = 0,
): Promise<SyslogServer> {
  const messages: SyslogMessage[] = [];
  const sockets = new Set<Socket>();
  const double = { behaviour: 'well' as SyslogServer['behaviour'] };

  function serve(socket: Socket): void {
    socket.on('error', () => undefined);
    if (double.behaviour === 'turns-away') {
      socket.end();
      return;
    }
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      for (let frame = frameOf(rest); frame !== null; frame = frameOf(rest)) {
        messages.push(parse(frame.message));
        rest = rest.subarray(frame.length);
        if (double.behaviour === 'breaks-off') {
          double.behaviour = 'well';
          // What lies under TLS cannot be reset.
          if (tls === null) socket.resetAndDestroy();
          else socket.destroy();
          return;
        }
      }
    });
    socket.on('end', () => {
      if (double.behaviour !== 'silent') socket.end();
    });
  }

  const server =
    tls === null
      ? createServer({ allowHalfOpen: true }, serve)
      : createTlsServer({ ...tls, allowHalfOpen: true }, serve);
  server.on('tlsClientError', () => undefined);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(double, {
    port: (server.address() as AddressInfo).port,
    messages,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
}

function frameOf(bytes: Buffer): { readonly message: string; readonly length: number } | null {
  const space = bytes.indexOf(0x20);
  if (space < 0) return null;
  const length = Number(bytes.toString('latin1', 0, space));
  const end = space + 1 + length;
  return bytes.length < end ? null : { message: bytes.toString('utf8', space + 1, end), length: end };
}

function parse(message: string): SyslogMessage {
  const [, priority, time = '', , app = '', , id = '', structured = '', text = ''] = MESSAGE.exec(message) ?? [];
  if (priority === undefined) throw new Error(`no message of RFC 5424: ${message.slice(0, 200)}`);
  return { priority: Number(priority), time, app, id, structured, text, bytes: Buffer.byteLength(message) };
}
