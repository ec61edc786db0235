import type { Position } from '../event-log/event-log.ts';

interface Waiter {
  readonly position: Position;
  settle(reached: boolean): void;
}

/** Those who wait for a read model to get somewhere. */
export class Waiters {
  readonly #all = new Set<Waiter>();

  get waiting(): boolean {
    return this.#all.size > 0;
  }

  wait(position: Position, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (reached: boolean): void => {
        clearTimeout(timer);
        this.#all.delete(waiter);
        resolve(reached);
      };
      const waiter: Waiter = { position, settle };
      const timer = setTimeout(() => settle(false), timeoutMs);
      this.#all.add(waiter);
    });
  }

  reached(position: Position): void {
    for (const waiter of this.#all) if (waiter.position <= position) waiter.settle(true);
  }

  giveUp(): void {
    for (const waiter of this.#all) waiter.settle(false);
  }
}
