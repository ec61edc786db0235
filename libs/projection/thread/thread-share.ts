import { setTimeout as sleep } from 'node:timers/promises';

/** Shares are counted over stretches of so long; what was left of one is not saved up. */
const STRETCH_MS = 1_000;
/** While it waits it looks this often: somebody may begin to wait for it. */
const STEP_MS = 10;

/** Keeps a thread, all that runs on it together, to a share of one processor while others need it. */
export class ThreadShare {
  readonly #share: number;
  #sinceMs = performance.now();
  #spentBefore = spentMs();

  /** @param share 0 to 1 */
  constructor(share: number) {
    this.#share = share;
  }

  /** Waits until the thread has kept to its share, or need not: asked before each step. */
  async keepTo(needed: () => boolean, signal: AbortSignal): Promise<void> {
    while (needed() && !signal.aborted && this.#overspent())
      await sleep(STEP_MS, undefined, { signal }).catch(() => undefined);
  }

  #overspent(): boolean {
    const tookMs = performance.now() - this.#sinceMs;
    const over = spentMs() - this.#spentBefore - this.#share * tookMs;
    if (over <= 0 && tookMs > STRETCH_MS) {
      this.#sinceMs = performance.now();
      this.#spentBefore = spentMs();
    }
    return over > 0;
  }
}

function spentMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
