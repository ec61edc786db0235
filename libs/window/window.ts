/**
 * The sliding window of a limit (P3): 61 one-second buckets, the current second and the 60 before it. Whatever 60
 * seconds one looks at, milliseconds included, lie within 61 such buckets, so never more than N are granted in them;
 * and a steady caller is granted N in 61 seconds, 98% of the limit.
 *
 * Pure: the second comes in. It never runs back; an earlier one counts as the last.
 */
export const WINDOW_BUCKETS = 61;

export class Window {
  readonly #buckets = new Uint32Array(WINDOW_BUCKETS);
  #second = 0;
  #used = 0;
  /** Last second anything was taken in; -Infinity: never. */
  #taken = -Infinity;

  /** Taken within the window that ends with this second. */
  used(second: number): number {
    this.#advance(second);
    return this.#used;
  }

  /** Takes without asking: the caller has compared `used` with its limit. */
  take(second: number, cost: number): void {
    this.#advance(second);
    this.#buckets[this.#second % WINDOW_BUCKETS]! += cost;
    this.#used += cost;
    this.#taken = this.#second;
  }

  /** Counts what was taken in an earlier second, from the record of it; a second yet to come counts as this one. */
  refill(takenSecond: number, cost: number, second: number): void {
    this.#advance(second);
    const counted = Math.min(takenSecond, this.#second);
    if (counted <= this.#second - WINDOW_BUCKETS) return;
    this.#buckets[counted % WINDOW_BUCKETS]! += cost;
    this.#used += cost;
    if (counted > this.#taken) this.#taken = counted;
  }

  /** Seconds of the window that ends with this one, in which anything was taken, each with how much. */
  *taken(second: number): Generator<readonly [second: number, cost: number]> {
    this.#advance(second);
    for (let age = 0; age < WINDOW_BUCKETS; age++) {
      const cost = this.#buckets[(this.#second - age) % WINDOW_BUCKETS]!;
      if (cost > 0) yield [this.#second - age, cost];
    }
  }

  /** Seconds until all that is used now is given back; 0 when nothing is. */
  resetSeconds(second: number): number {
    this.#advance(second);
    return this.#used === 0 ? 0 : this.#taken + WINDOW_BUCKETS - this.#second;
  }

  /** Seconds until `cost` fits below the limit; a whole window where it never does. */
  retryAfterSeconds(second: number, cost: number, limit: number): number {
    this.#advance(second);
    let used = this.#used;
    for (let age = WINDOW_BUCKETS - 1; age >= 0; age--) {
      if (used + cost <= limit) return Math.max(1, WINDOW_BUCKETS - 1 - age);
      used -= this.#buckets[(this.#second - age + WINDOW_BUCKETS) % WINDOW_BUCKETS]!;
    }
    return WINDOW_BUCKETS;
  }

  #advance(second: number): void {
    const steps = second - this.#second;
    if (steps <= 0) return;
    if (steps >= WINDOW_BUCKETS) {
      this.#buckets.fill(0);
      this.#used = 0;
    } else {
      for (let passed = this.#second + 1; passed <= second; passed++) {
        const bucket = passed % WINDOW_BUCKETS;
        this.#used -= this.#buckets[bucket]!;
        this.#buckets[bucket] = 0;
      }
    }
    this.#second = second;
  }
}
