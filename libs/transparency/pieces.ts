import { createHash } from 'node:crypto';

/** Lines are sent together in pieces of about this size. */
const PIECE_CHARACTERS = 64 * 1024;

/** Lines of an export on their way out: gathered into pieces, and hashed as these are taken. */
export class Pieces {
  readonly #sha256 = createHash('sha256');
  #text = '';

  /** A line with its end. */
  add(line: string): void {
    this.#text += line;
  }

  get full(): boolean {
    return this.#text.length >= PIECE_CHARACTERS;
  }

  take(): Buffer {
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    this.#sha256.update(bytes);
    return bytes;
  }

  /** Of all that was taken so far, hex. */
  sha256(): string {
    return this.#sha256.copy().digest('hex');
  }
}
