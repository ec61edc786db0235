import type { ByteRange, Content } from '../operation/content.ts';
import type { TokenUseEnded } from '../usage/use.ts';

/** Its token died while it was being read (P2). The face breaks the answer off, so that nobody takes it for whole. */
export class AnswerCut extends Error {
  override readonly name = 'AnswerCut';
}

export type AnswerEnd = Pick<TokenUseEnded['data'], 'outcome' | 'bytes' | 'duration_ms'>;

interface Watch {
  /** Asked before each piece goes out. */
  stillStands(): Promise<boolean>;
  /** Told once, of an answer that was opened. Never throws. */
  ended(end: AnswerEnd): Promise<void>;
}

/** Content that ends with its token, and tells how it ended (DESIGN §3 "Long answers"). */
export const watched = (content: Content, watch: Watch): Content => ({
  ...content,
  open: (range?: ByteRange) => new WatchedBytes(content.open(range), watch),
});

/** An object and no generator: one that was opened and given up before its first piece has ended, too. */
class WatchedBytes implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #watch: Watch;
  readonly #openedMs = performance.now();
  #bytes = 0;
  #over = false;

  constructor(source: AsyncIterable<Uint8Array>, watch: Watch) {
    this.#source = source[Symbol.asyncIterator]();
    this.#watch = watch;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#over) return { done: true, value: undefined };
    let piece: IteratorResult<Uint8Array>;
    try {
      piece = await this.#source.next();
    } catch (error) {
      await this.#end('failed');
      throw error;
    }
    if (piece.done === true) {
      await this.#end('complete');
      return { done: true, value: undefined };
    }
    if (!(await this.#watch.stillStands())) {
      await this.#end('cut');
      await this.#source.return?.();
      throw new AnswerCut('the token died while its answer was being sent');
    }
    this.#bytes += piece.value.byteLength;
    return { done: false, value: piece.value };
  }

  /** The caller went away. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#end('abandoned');
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  async #end(outcome: AnswerEnd['outcome']): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const duration_ms = Math.round((performance.now() - this.#openedMs) * 100) / 100;
    await this.#watch.ended({ outcome, bytes: this.#bytes, duration_ms });
  }
}
