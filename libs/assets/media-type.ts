/** How much of a file's beginning tells what it is. */
export const SNIFFED_BYTES = 4096;

/** The media types a file is kept and sent as; whatever it was said to be, its bytes decide. */
export const MEDIA_TYPES = [
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'application/pdf',
  'text/plain; charset=utf-8',
] as const;

export type MediaType = (typeof MEDIA_TYPES)[number];

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.subarray(from, to)).toString('latin1');

/**
 * What a file is, by its first `SNIFFED_BYTES` (fewer only if it has no more); null: nothing we keep.
 * HTML, SVG and scripts are text here, and are sent as such: nothing is ever sent as something that runs.
 */
export function mediaTypeOf(head: Uint8Array): MediaType | null {
  const is = (at: number, text: string): boolean => ascii(head, at, at + text.length) === text;
  if (is(0, '\x89PNG\r\n\x1a\n')) return 'image/png';
  if (is(0, '\xff\xd8\xff')) return 'image/jpeg';
  if (is(0, 'GIF87a') || is(0, 'GIF89a')) return 'image/gif';
  if (is(0, 'RIFF') && is(8, 'WEBP')) return 'image/webp';
  if (is(4, 'ftyp')) return is(8, 'avif') || is(8, 'avis') ? 'image/avif' : 'video/mp4';
  if (is(0, '\x1a\x45\xdf\xa3') && ascii(head, 0, 64).includes('webm')) return 'video/webm';
  if (is(0, '%PDF-')) return 'application/pdf';
  return isText(head) ? 'text/plain; charset=utf-8' : null;
}

// oxlint-disable-next-line no-control-regex -- controls are what is looked for
const NO_TEXT = /[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]/;

function isText(head: Uint8Array): boolean {
  if (head.byteLength === 0) return false;
  try {
    // As a stream: the beginning may end inside a character.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: head.byteLength >= SNIFFED_BYTES });
    return !NO_TEXT.test(text);
  } catch {
    return false;
  }
}

/** The first bytes of a stream, and the stream as if they had not been taken. */
export async function peek(
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: Uint8Array; readonly all: AsyncIterable<Uint8Array> }> {
  const source = bytes[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  let length = 0;
  while (length < SNIFFED_BYTES) {
    const piece = await source.next();
    if (piece.done === true) break;
    taken.push(piece.value);
    length += piece.value.byteLength;
  }
  const all = async function* (): AsyncGenerator<Uint8Array> {
    yield* taken;
    yield* { [Symbol.asyncIterator]: () => source };
  };
  return { head: Buffer.concat(taken).subarray(0, SNIFFED_BYTES), all: all() };
}
