import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { ByteRange, Content } from '../operation/content.ts';
import { rangeNotSatisfiable } from '../problem/problem.ts';
import { sendProblem } from './answer.ts';

/** A caller that takes nothing for so long is let go. */
const STALLED_MS = 60_000;

/**
 * Bytes on the wire: conditional (RFC 9110 §13.1.2) and in part (§14) where their length and ETag are known.
 * Whatever they are, a browser is told to run none of it. An answer that breaks off breaks the connection, so that
 * half is never taken for whole.
 */
export async function sendContent(content: Content, request: Request, response: Response): Promise<void> {
  const { type, filename, styleHash, lengthBytes, etag } = content;
  response.setHeader('X-Content-Type-Options', 'nosniff');
  const style = styleHash === undefined ? '' : ` style-src '${styleHash}';`;
  response.setHeader('Content-Security-Policy', `default-src 'none';${style} sandbox`);
  response.setHeader('Content-Disposition', disposition(filename));
  // Kept by the caller alone, and asked for again each time: a token that died shows nothing from a cache.
  response.setHeader('Cache-Control', 'private, no-cache');
  if (etag !== undefined) response.setHeader('ETag', `"${etag}"`);
  if (etag !== undefined && isKnown(request.headers['if-none-match'], etag)) {
    response.status(304).end();
    return;
  }
  response.setHeader('Content-Type', type);
  let range: ByteRange | undefined;
  if (lengthBytes !== undefined) {
    response.setHeader('Accept-Ranges', 'bytes');
    const asked = rangeOf(request, lengthBytes, etag);
    if (asked === 'unsatisfiable') {
      response.setHeader('Content-Range', `bytes */${lengthBytes}`);
      sendProblem(rangeNotSatisfiable(lengthBytes), response);
      return;
    }
    if (asked !== null) {
      range = asked;
      response.status(206).setHeader('Content-Range', `bytes ${range.first}-${range.last}/${lengthBytes}`);
    }
    response.setHeader('Content-Length', range === undefined ? lengthBytes : range.last - range.first + 1);
  }
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  response.setTimeout(STALLED_MS, () => response.destroy());
  const bytes = Readable.from(content.open(range), { objectMode: false });
  // Either the caller went away or the bytes ended early: the end is on record, and there is nobody left to tell.
  await pipeline(bytes, response).catch(() => undefined);
}

/** RFC 6266, with the name as RFC 8187 writes it. */
function disposition(filename: string | undefined): string {
  if (filename === undefined) return 'attachment';
  const plain = filename.replaceAll(/[^\w.-]/g, '_');
  const encoded = encodeURIComponent(filename).replaceAll(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

const isKnown = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined &&
  (ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === `"${etag}"`));

const RANGE = /^bytes=(\d*)-(\d*)$/;

/** The one range asked for; null: all of it, as also for several ranges, which a server may ignore (RFC 9110 §14.2). */
function rangeOf(
  { headers }: Request,
  lengthBytes: number,
  etag: string | undefined,
): ByteRange | null | 'unsatisfiable' {
  const ifRange = headers['if-range'];
  if (typeof ifRange === 'string' && ifRange !== `"${etag}"`) return null;
  const [, first = '', last = ''] = RANGE.exec(headers.range ?? '') ?? [];
  if (first === '' && last === '') return null;
  if (first === '') {
    const suffix = Math.min(Number(last), lengthBytes);
    return suffix === 0 ? 'unsatisfiable' : { first: lengthBytes - suffix, last: lengthBytes - 1 };
  }
  if (last !== '' && Number(last) < Number(first)) return null;
  if (Number(first) >= lengthBytes) return 'unsatisfiable';
  return { first: Number(first), last: last === '' ? lengthBytes - 1 : Math.min(Number(last), lengthBytes - 1) };
}
