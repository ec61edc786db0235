/** Events that carry one call are appended within its lifetime, processes' clocks a little apart. */
const REMEMBERED_MS = 5 * 60_000;

/** Tells calls that several events carry from new ones, with the memory of some minutes. */
export class Recently {
  readonly #seenMs = new Map<string, number>();
  #newestMs = 0;

  /** Whether it is seen for the first time. */
  isNew(key: string, atMs: number): boolean {
    if (this.#seenMs.has(key)) return false;
    this.#seenMs.set(key, atMs);
    if (atMs > this.#newestMs) {
      this.#newestMs = atMs;
      for (const [old, oldMs] of this.#seenMs) {
        if (oldMs > atMs - REMEMBERED_MS) break;
        this.#seenMs.delete(old);
      }
    }
    return true;
  }
}
