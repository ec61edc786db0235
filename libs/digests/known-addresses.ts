import { lineageKey } from '../tokens/token-id.ts';
import { DAY_MS } from './period.ts';

/** An address not called from for longer is new again. */
export const KNOWN_FOR_MS = 30 * DAY_MS;
/** A caller with a large network fills no memory (P11). */
const MOST_KNOWN = 100_000;

/** From where each lineage of a workspace's tokens has called. */
export class KnownAddresses {
  readonly #known = new Set<string>();
  #complete = true;

  /** False: there were so many that some were not told apart any more, and so not found new. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Whether the token, or one of its lineage, calls from there for the first time. */
  isFirst(token: string, address: string): boolean {
    const key = `${lineageKey(token)} ${address}`;
    if (this.#known.has(key)) return false;
    if (this.#known.size >= MOST_KNOWN) {
      this.#complete = false;
      return false;
    }
    this.#known.add(key);
    return true;
  }
}
