import type { Request } from 'express';
import { type Upload, UploadBroken } from '../operation/content.ts';
import { bodyTooLarge, malformed } from '../problem/problem.ts';

/** A request's body as it arrives, bounded; nothing is read before the first piece is asked for. */
export const uploadOf = (request: Request, mostBytes: number): Upload => ({ stream: bounded(request, mostBytes) });

async function* bounded(request: Request, mostBytes: number): AsyncGenerator<Uint8Array> {
  const { 'content-length': length, 'content-encoding': encoding } = request.headers;
  if (encoding !== undefined && encoding !== 'identity') {
    throw new UploadBroken(malformed('The body must be sent as it is, without a Content-Encoding.'));
  }
  if (length !== undefined && Number(length) > mostBytes) throw new UploadBroken(bodyTooLarge(mostBytes));
  let bytes = 0;
  try {
    // Not destroyed when given up: the answer still goes out on this connection.
    for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      bytes += piece.byteLength;
      if (bytes > mostBytes) throw new UploadBroken(bodyTooLarge(mostBytes));
      yield piece;
    }
  } catch (error) {
    throw error instanceof UploadBroken ? error : new UploadBroken(malformed('The body did not arrive whole.'));
  }
}

/** Reads and drops what is left of a body that was refused, up to twice as much as was allowed. */
export async function drain(request: Request, allowedBytes: number): Promise<void> {
  const mostBytes = 2 * allowedBytes;
  let bytes = 0;
  try {
    for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      bytes += piece.byteLength;
      if (bytes > mostBytes) return;
    }
  } catch {
    // The caller went away: there is nobody to answer.
  }
}
