/**
 * Where the keys of people's data lie: a store of its own, with a back-up of its own, beside log and views. An erased
 * person's row stays, without a key, so that nobody is ever given one again. Contract: test/contract/person-keys.contract.ts
 */
export interface PersonKeyStore {
  /** Of those asked for that have a row: their key, or null where it was erased. @throws Error when out of reach */
  find(persons: readonly string[]): Promise<ReadonlyMap<string, Uint8Array | null>>;

  /** Keeps the key for a person who has no row; durable once this resolves. Answers what is there then, as `find`. */
  make(person: string, key: Uint8Array): Promise<Uint8Array | null>;

  /** Destroys a key; durable once this resolves. A person without a row gets one. False: it was erased before. */
  erase(person: string): Promise<boolean>;

  /** Who was erased, and whose views were not yet asked to be built anew. */
  unsettled(): Promise<readonly string[]>;

  /** Views without the person's data are being built. */
  settle(persons: readonly string[]): Promise<void>;

  /** Who was erased since an instant of the store's own clock, and its clock now, Unix ms. Null: since ever. */
  erasedSince(instantMs: number | null): Promise<{ readonly persons: readonly string[]; readonly nowMs: number }>;

  close(): Promise<void>;
}
