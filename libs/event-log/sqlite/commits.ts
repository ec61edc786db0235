/** What the writer has stored so far, and who waits for more: a commit is told, so nobody need ask the file. */
export class Commits {
  /** Position of the newest event; 0 when there is none. */
  head: number;
  readonly #watches = new Set<Watch>();

  constructor(head: number) {
    this.head = head;
  }

  /** @param streams that were written to; null: perhaps all */
  committed(streams: readonly string[] | null, position: number): void {
    this.head = Math.max(this.head, position);
    for (const watch of this.#watches) watch.tell(streams);
  }

  /** Wakes everybody, for there is no more to wait for. */
  end(): void {
    for (const watch of this.#watches) watch.wake();
  }

  watch(streamPrefixes: readonly string[] | undefined): Watch {
    const watch: Watch = new Watch(streamPrefixes, () => this.#watches.delete(watch));
    this.#watches.add(watch);
    return watch;
  }
}

/** One subscription's eye on the commits. */
export class Watch {
  /** Whether an event of its streams may have been stored since it was last set to false: else there is nothing to read. */
  concerned = true;
  readonly close: () => void;
  readonly #streamPrefixes: readonly string[] | undefined;
  #wake: (() => void) | null = null;

  constructor(streamPrefixes: readonly string[] | undefined, close: () => void) {
    this.#streamPrefixes = streamPrefixes;
    this.close = close;
  }

  tell(streams: readonly string[] | null): void {
    this.concerned ||=
      streams === null ||
      streams.some((stream) => this.#streamPrefixes?.some((prefix) => stream.startsWith(prefix)) ?? true);
    this.wake();
  }

  readonly wake = (): void => {
    this.#wake?.();
    this.#wake = null;
  };

  /** Until the next commit, or the end. */
  next(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}
