import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** A rest is no longer than this, whatever others needed: a rebuild under load is slow, and comes to an end. */
const LONGEST_REST_MS = 250;
/** Turns this short were nobody's work. */
const NOTICED_MS = 2;

/**
 * How work in the background of a serving process gives way: turns of the event loop in between, and after each bite a
 * rest as long as others took in those turns.
 */
export class Courtesy {
  #othersMs = 0;

  async turn(): Promise<void> {
    const sinceMs = performance.now();
    await nextTurn();
    const tookMs = performance.now() - sinceMs;
    if (tookMs > NOTICED_MS) this.#othersMs += tookMs;
  }

  /** Between two bites: a turn, and a rest. */
  async giveWay(signal: AbortSignal): Promise<void> {
    await this.turn();
    await this.rest(signal);
  }

  async rest(signal: AbortSignal): Promise<void> {
    const restMs = Math.min(this.#othersMs, LONGEST_REST_MS);
    this.#othersMs = 0;
    if (restMs > 0) await sleep(restMs, undefined, { signal }).catch(() => undefined);
  }
}
