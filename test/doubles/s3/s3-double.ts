import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { signatureError } from './signature.ts';

const KEYS = { writ: 'a secret of the store' };

/** An S3-compatible store in memory: PUT, GET (with Range), HEAD and DELETE of objects, every request's signature checked. */
export class S3Double {
  /** By `/bucket/key`. Specs may look, and damage what lies there. */
  readonly objects = new Map<string, Buffer>();
  /** As `GET /bucket/key`, in order. */
  readonly requests: string[] = [];
  /** The next so many requests are answered 503. */
  failing = 0;
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What a client of ours needs to sign. */
  readonly credentials = { accessKeyId: 'writ', secretAccessKey: KEYS.writ };

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const body = await buffer(request);
    this.requests.push(`${method} ${url}`);
    if (this.failing > 0) {
      this.failing--;
      fail(response, 503, 'SlowDown');
      return;
    }
    const error = signatureError(request, body, KEYS);
    if (error !== null) return fail(response, 403, error);
    if (method === 'PUT') {
      this.objects.set(url, body);
      response.end();
      return;
    }
    if (method === 'DELETE') {
      this.objects.delete(url);
      response.writeHead(204).end();
      return;
    }
    const object = this.objects.get(url);
    if (object === undefined) return fail(response, 404, 'NoSuchKey');
    if (method === 'HEAD') response.setHeader('content-length', object.length).end();
    else if (method === 'GET') send(request, response, object);
    else fail(response, 405, 'MethodNotAllowed');
  }
}

function send({ headers }: IncomingMessage, response: ServerResponse, object: Buffer): void {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  if (first === undefined || last === undefined) {
    response.end(object);
    return;
  }
  response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${object.length}` });
  response.end(object.subarray(Number(first), Number(last) + 1));
}

function fail(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<Error><Code>${code}</Code></Error>`);
}
