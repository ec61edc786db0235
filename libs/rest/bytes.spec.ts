import { once } from 'node:events';
import { createServer, request as ask, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import type { Content } from '../operation/content.ts';
import { UploadBroken } from '../operation/content.ts';
import { sendContent } from './send-content.ts';
import { uploadOf } from './upload.ts';

const TEXT = 'abcdefghij';
const MOST_BYTES = 100_000;

describe('bytes over REST', () => {
  let server: Server;
  let url: string;
  let content: Content;
  let outcome: Promise<string>;

  beforeEach(async () => {
    content = {
      type: 'text/plain; charset=utf-8',
      filename: "a plan's “sketch”.txt",
      lengthBytes: TEXT.length,
      etag: 'e1',
      async *open({ first, last } = { first: 0, last: TEXT.length - 1 }) {
        yield Buffer.from(TEXT.slice(first, last + 1));
      },
    };
    const app = express();
    app.get('/', (request, response) => sendContent(content, request, response));
    app.post('/', async (request, response) => {
      outcome = taken(uploadOf(request, MOST_BYTES).stream);
      response.end(await outcome);
      request.resume();
    });
    server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  async function taken(stream: AsyncIterable<Uint8Array>): Promise<string> {
    try {
      return String(Buffer.concat(await Array.fromAsync(stream)).length);
    } catch (error) {
      if (error instanceof UploadBroken) return String(error.problem.status);
      throw error;
    }
  }

  it('say what they are, and run nowhere', async () => {
    const answer = await fetch(url);
    expect(await answer.text()).toBe(TEXT);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '10',
      'content-disposition': `attachment; filename="a_plan_s__sketch_.txt"; filename*=UTF-8''a%20plan%27s%20%E2%80%9Csketch%E2%80%9D.txt`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'private, no-cache',
      etag: '"e1"',
      'accept-ranges': 'bytes',
    });
  });

  it.each([
    ['bytes=0-3', {}, 206, 'abcd', 'bytes 0-3/10'],
    ['bytes=8-', {}, 206, 'ij', 'bytes 8-9/10'],
    ['bytes=-3', {}, 206, 'hij', 'bytes 7-9/10'],
    ['bytes=-30', {}, 206, TEXT, 'bytes 0-9/10'],
    ['bytes=5-500', {}, 206, 'fghij', 'bytes 5-9/10'],
    ['bytes=0-3', { 'if-range': '"e1"' }, 206, 'abcd', 'bytes 0-3/10'],
    ['bytes=0-3', { 'if-range': '"e0"' }, 200, TEXT, null],
    ['bytes=0-1,4-5', {}, 200, TEXT, null],
    ['bytes=5-2', {}, 200, TEXT, null],
    ['lines=1-2', {}, 200, TEXT, null],
    ['bytes=-', {}, 200, TEXT, null],
  ] as const)('are sent in part: %s %j', async (range, headers, status, text, contentRange) => {
    const answer = await fetch(url, { headers: { ...headers, range } });
    expect([answer.status, await answer.text(), answer.headers.get('content-range')]).toEqual([
      status,
      text,
      contentRange,
    ]);
    expect(answer.headers.get('content-length')).toBe(String(text.length));
  });

  it.each(['bytes=10-', 'bytes=-0'])('have no such part: %s', async (range) => {
    const answer = await fetch(url, { headers: { range } });
    expect(answer.status).toBe(416);
    expect(answer.headers.get('content-range')).toBe('bytes */10');
    expect(await answer.json()).toMatchObject({ code: 'invalid', errors: [{ field: 'range' }] });
  });

  it.each([
    ['"e1"', 304],
    ['W/"e1"', 304],
    ['"e0", "e1"', 304],
    ['*', 304],
    ['"e0"', 200],
  ])('are not sent again to who has them: %s', async (tags, status) => {
    const answer = await fetch(url, { headers: { 'if-none-match': tags } });
    expect([answer.status, await answer.text()]).toEqual([status, status === 304 ? '' : TEXT]);
  });

  it('are only described to HEAD', async () => {
    const { open } = content;
    let opened = false;
    content = { ...content, open: (range) => ((opened = true), open(range)) };
    const answer = await fetch(url, { method: 'HEAD' });
    expect([answer.headers.get('content-length'), await answer.text(), opened]).toEqual(['10', '', false]);
  });

  it('that break off break the connection', async () => {
    const { lengthBytes: _known, ...unknown } = content;
    content = {
      ...unknown,
      async *open() {
        yield Buffer.from(TEXT);
        throw new Error('the disk is gone');
      },
    };
    const answer = await fetch(url);
    await expect(answer.text()).rejects.toThrow();
  });

  it('are read from a body as they come, up to their bound', async () => {
    const upload = async (bytes: number, headers = {}): Promise<string> =>
      (await fetch(url, { method: 'POST', headers, body: Buffer.alloc(bytes) })).text();
    expect(await upload(MOST_BYTES)).toBe(String(MOST_BYTES));
    expect(await upload(MOST_BYTES + 1)).toBe('413');
    expect(await upload(10, { 'content-encoding': 'gzip' })).toBe('400');
  });

  it('are bounded where their length is not said', async () => {
    const sending = ask(url, { method: 'POST' });
    sending.write(Buffer.alloc(MOST_BYTES));
    sending.end(Buffer.alloc(1));
    const [answer] = (await once(sending, 'response')) as [AsyncIterable<Buffer>];
    expect(Buffer.concat(await Array.fromAsync(answer)).toString()).toBe('413');
  });

  it('that stop coming are told from those that ended', async () => {
    const sending = ask(url, { method: 'POST', headers: { 'content-length': '10' } });
    sending.on('error', () => undefined);
    sending.write('abc');
    await once(server, 'request');
    sending.destroy();
    while (outcome === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await outcome).toBe('400');
  });
});
