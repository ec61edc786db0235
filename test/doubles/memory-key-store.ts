import type { PersonKeyStore } from '../../libs/privacy/person-key-store.ts';

interface Row {
  key: Uint8Array | null;
  erasedAtMs: number;
  settled: boolean;
}

/** Keys in a map, for unit tests of what seals. Passes the contract; forgets all at the end. */
export class MemoryKeyStore implements PersonKeyStore {
  unreachable = false;
  readonly #rows = new Map<string, Row>();

  async find(persons: readonly string[]): Promise<ReadonlyMap<string, Uint8Array | null>> {
    await this.#reach();
    return new Map(
      persons.flatMap((person) => {
        const row = this.#rows.get(person);
        return row === undefined ? [] : [[person, row.key]];
      }),
    );
  }

  async make(person: string, key: Uint8Array): Promise<Uint8Array | null> {
    await this.#reach();
    if (!this.#rows.has(person)) this.#rows.set(person, { key, erasedAtMs: 0, settled: true });
    return this.#rows.get(person)!.key;
  }

  async erase(person: string): Promise<boolean> {
    await this.#reach();
    if (this.#rows.get(person)?.key === null) return false;
    this.#rows.set(person, { key: null, erasedAtMs: Date.now(), settled: false });
    return true;
  }

  async unsettled(): Promise<readonly string[]> {
    await this.#reach();
    return [...this.#rows].filter(([, { settled }]) => !settled).map(([person]) => person);
  }

  async settle(persons: readonly string[]): Promise<void> {
    await this.#reach();
    for (const person of persons) {
      const row = this.#rows.get(person);
      if (row !== undefined) row.settled = true;
    }
  }

  async erasedSince(instantMs: number | null): Promise<{ persons: readonly string[]; nowMs: number }> {
    await this.#reach();
    const erased = [...this.#rows].filter(([, { key, erasedAtMs }]) => key === null && erasedAtMs >= (instantMs ?? 0));
    return { persons: erased.map(([person]) => person), nowMs: Date.now() };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #reach(): Promise<void> {
    await Promise.resolve();
    if (this.unreachable) throw new Error('out of reach');
  }
}
