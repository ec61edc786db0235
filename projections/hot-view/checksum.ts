import { createHash } from 'node:crypto';

/** A sum over the rows, so that no order has to be made first. */
export class Checksum {
  #sum = 0n;

  add(row: string): void {
    this.#sum += createHash('sha256').update(row).digest().readBigUInt64BE();
  }

  get text(): string {
    return String(this.#sum);
  }
}
