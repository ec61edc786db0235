import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string };
}

export interface LogRecord {
  readonly timeUnixNano: string;
  readonly severityNumber: number;
  readonly eventName: string;
  readonly body: { readonly stringValue: string };
  readonly attributes: readonly Attribute[];
}

/** A little collector of OpenTelemetry logs (OTLP/HTTP, JSON), which can be told to behave badly. */
export interface OtlpCollector {
  readonly url: string;
  /** Of every record that was stored, in order, its `writ.id`. */
  readonly ids: readonly string[];
  readonly records: readonly LogRecord[];
  readonly headers: readonly NodeJS.Dict<string | string[]>[];
  /** What is done with the next requests. */
  behaviour: Behaviour;
  close(): Promise<void>;
}

export type Behaviour =
  | 'well'
  /** Refuses before it stores. */
  | { readonly status: number; readonly retryAfter?: string }
  /** Stores, and breaks off in the middle of its answer. */
  | 'half-answer'
  /** Stores, and never answers. */
  | 'silent'
  /** Refuses bodies with more records. */
  | { readonly mostRecords: number }
  /** Throws away so many, and says so. */
  | { readonly rejects: number };

export async function startOtlpCollector(port = 0): Promise<OtlpCollector> {
  const records: LogRecord[] = [];
  const headers: NodeJS.Dict<string | string[]>[] = [];
  const collector = {
    behaviour: 'well' as Behaviour,
    records,
    headers,
    get ids(): string[] {
      return records.map((record) => attributeOf(record, 'writ.id') ?? '');
    },
  };
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const piece of request) text += String(piece);
    headers.push(request.headers);
    const { resourceLogs } = JSON.parse(text) as {
      resourceLogs: { scopeLogs: { logRecords: LogRecord[] }[] }[];
    };
    const received = resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
    const { behaviour } = collector;
    if (typeof behaviour === 'object' && 'status' in behaviour) {
      const retry = behaviour.retryAfter === undefined ? {} : { 'retry-after': behaviour.retryAfter };
      response.writeHead(behaviour.status, retry).end();
      return;
    }
    if (typeof behaviour === 'object' && 'mostRecords' in behaviour && received.length > behaviour.mostRecords) {
      response.writeHead(413).end();
      return;
    }
    const rejected = typeof behaviour === 'object' && 'rejects' in behaviour ? behaviour.rejects : 0;
    records.push(...received.slice(rejected));
    if (behaviour === 'silent') return;
    response.setHeader('content-type', 'application/json');
    if (behaviour === 'half-answer') {
      response.setHeader('content-length', 100);
      response.write('{"partial', () => response.destroy());
      return;
    }
    response.end(rejected === 0 ? '{}' : JSON.stringify({ partialSuccess: { rejectedLogRecords: String(rejected) } }));
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(collector, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

export function attributeOf({ attributes }: LogRecord, key: string): string | undefined {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  return value?.stringValue ?? value?.intValue;
}
