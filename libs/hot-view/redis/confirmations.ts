import type { Pass, Standing } from '../hot-view.ts';

interface Waiting {
  readonly pass: Pass;
  readonly answer: (standing: Standing) => void;
}

/** Gathers what is asked in one turn of the event loop, and asks once a partition. */
export class Confirmations {
  #waiting: Waiting[] = [];
  readonly #ask: (partition: number, passes: readonly Pass[]) => Promise<readonly Standing[]>;

  readonly #partitionOf: (pass: Pass) => number;

  /** @param ask answers in the order of the passes, and never throws */
  constructor(
    partitionOf: (pass: Pass) => number,
    ask: (partition: number, passes: readonly Pass[]) => Promise<readonly Standing[]>,
  ) {
    this.#partitionOf = partitionOf;
    this.#ask = ask;
  }

  of(pass: Pass): Promise<Standing> {
    return new Promise((answer) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#send());
      this.#waiting.push({ pass, answer });
    });
  }

  #send(): void {
    const partitions = Map.groupBy(this.#waiting, ({ pass }) => this.#partitionOf(pass));
    this.#waiting = [];
    for (const [partition, waiting] of partitions) void this.#sendOf(partition, waiting);
  }

  async #sendOf(partition: number, waiting: readonly Waiting[]): Promise<void> {
    const passes = waiting.map(({ pass }) => pass);
    const standings = await this.#ask(partition, passes);
    waiting.forEach(({ answer }, index) => answer(standings[index] ?? 'lapsed'));
  }
}
