import { describe, expect, it } from '@jest/globals';
import { mediaTypeOf, peek, SNIFFED_BYTES } from './media-type.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('the media type of a file', () => {
  it.each([
    ['image/png', bytes('\x89PNG\r\n\x1a\n\0\0\0\rIHDR')],
    ['image/jpeg', bytes('\xff\xd8\xff\xe0\0\x10JFIF')],
    ['image/gif', bytes('GIF89a')],
    ['image/webp', bytes('RIFF\x24\0\0\0WEBPVP8 ')],
    ['image/avif', bytes('\0\0\0\x1cftypavif\0\0\0\0')],
    ['video/mp4', bytes('\0\0\0\x18ftypmp42\0\0\0\0')],
    ['video/webm', bytes('\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm')],
    ['application/pdf', bytes('%PDF-1.7\n%\xe2\xe3')],
    ['text/plain; charset=utf-8', Buffer.from('Naïve — “text”\r\n\twith a tab')],
    ['text/plain; charset=utf-8', Buffer.from('<html><script>alert(1)</script></html>')],
    ['text/plain; charset=utf-8', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
  ])('%s', (type, head) => {
    expect(mediaTypeOf(head)).toBe(type);
  });

  it.each([
    ['an archive', bytes('PK\x03\x04\x14\0')],
    ['a program', bytes('\x7fELF\x02\x01\x01\0')],
    ['Latin-1', bytes('caf\xe9')],
    ['UTF-16', Buffer.from('text', 'utf16le')],
    ['nothing', Buffer.alloc(0)],
    ['a Matroska file of another kind', bytes('\x1a\x45\xdf\xa3\x9fB\x82\x88matroska')],
    ['half a character at the end of the file', Buffer.from('né').subarray(0, 2)],
  ])('is none of ours: %s', (_, head) => {
    expect(mediaTypeOf(head)).toBeNull();
  });

  it('may be cut inside a character', () => {
    const long = Buffer.from(`${'x'.repeat(SNIFFED_BYTES - 1)}é`);
    expect(mediaTypeOf(long.subarray(0, SNIFFED_BYTES))).toBe('text/plain; charset=utf-8');
  });

  it('is looked for in what has come, of which nothing is lost', async () => {
    const sent = ['a', 'b'.repeat(SNIFFED_BYTES), 'c', 'd'];
    const { head, all } = await peek(
      (async function* () {
        for (const piece of sent) yield Buffer.from(piece);
      })(),
    );
    expect(head.length).toBe(SNIFFED_BYTES);
    expect(Buffer.concat(await Array.fromAsync(all)).toString()).toBe(sent.join(''));
  });
});
