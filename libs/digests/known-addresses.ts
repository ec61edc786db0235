import { lineageKey } from '../tokens/token-id.ts';
import { DAY_MS } from './period.ts';

/** An address not called from for longer is new again. */
export const KNOWN_FOR_MS = 30 * DAY_MS;
/** Beyond it addresses are no longer told apart: a caller with a large network fills no memory (P11). */
const MOST_KNOWN = 200_000;

/** From where each lineage of tokens has called. */
export class KnownAddresses {
  readonly #known = new Set<string>();

  /** Whether the token, or one of its lineage, calls from there for the first time. */
  isFirst(token: string, address: string): boolean {
    const key = `${lineageKey(token)} ${address}`;
    if (this.#known.has(key) || this.#known.size >= MOST_KNOWN) return false;
    this.#known.add(key);
    return true;
  }
}
