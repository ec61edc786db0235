import { randomBytes } from 'node:crypto';
import { LogUnavailable } from '../event-log/event-log.ts';
import { KEY_BYTES, PersonKey } from './person-key.ts';
import type { PersonKeyStore } from './person-key-store.ts';

/** How long a key that another process erased may still be in this one's memory. */
const LOOK_EVERY_MS = 1_000;
/** An erasure may be stamped before one that was seen earlier. */
const OVERLAP_MS = 60_000;

/**
 * The keys this process knows, so that sealing and opening wait for nothing. What another process erases is gone from here
 * within a second, and before anything reads the log as a whole (`refresh`).
 */
export class PersonKeys {
  readonly #store: PersonKeyStore;
  /** Null: erased. */
  readonly #known = new Map<string, PersonKey | null>();
  /** Without a row in the store: what names them cannot be read, unless the store is restored and the process started again. */
  readonly #lost = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #lookedMs: number | null = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(store: PersonKeyStore) {
    this.#store = store;
    // Out of reach for now: what is known stays known until the store can be asked again.
    const look = (): void => void (this.#looking = this.refresh().catch(() => undefined));
    this.#timer = setInterval(look, LOOK_EVERY_MS).unref();
  }

  /** Null: erased. Undefined: not known here, so `obtain` or `find` it first. */
  known(person: string): PersonKey | null | undefined {
    return this.#known.get(person);
  }

  /** Whether `open` needs to ask the store. */
  isAsked(person: string): boolean {
    return this.#known.has(person) || this.#lost.has(person);
  }

  /** Makes known the keys of these people, with new ones for who has none. @throws LogUnavailable */
  async obtain(persons: Iterable<string>): Promise<void> {
    const unknown = [...persons].filter((person) => !this.#known.has(person));
    await this.#ask(async () => {
      const found = await this.#store.find(unknown);
      for (const person of unknown) {
        const key = found.get(person);
        this.#learn(person, key === undefined ? await this.#store.make(person, randomBytes(KEY_BYTES)) : key);
      }
    });
  }

  /** Makes known the keys of these people, of those who have one. @throws LogUnavailable */
  async find(persons: Iterable<string>): Promise<void> {
    const unknown = [...persons].filter((person) => !this.isAsked(person));
    const found = await this.#ask(() => this.#store.find(unknown));
    for (const person of unknown) {
      const key = found.get(person);
      if (key === undefined) this.#lost.add(person);
      else this.#learn(person, key);
    }
  }

  /** Forgets what was erased elsewhere. @throws LogUnavailable */
  async refresh(): Promise<void> {
    const since = this.#lookedMs === null ? null : this.#lookedMs - OVERLAP_MS;
    const { persons, nowMs } = await this.#ask(() => this.#store.erasedSince(since));
    for (const person of persons) this.#learn(person, null);
    this.#lookedMs = nowMs;
  }

  /** Destroys the key for good. False: it was erased before. @throws LogUnavailable */
  async erase(person: string): Promise<boolean> {
    const erased = await this.#ask(() => this.#store.erase(person));
    this.#learn(person, null);
    return erased;
  }

  /** Who was erased, and whose views were not yet asked to be built anew. @throws LogUnavailable */
  unsettled(): Promise<readonly string[]> {
    return this.#ask(() => this.#store.unsettled());
  }

  /** @throws LogUnavailable */
  settle(persons: readonly string[]): Promise<void> {
    return this.#ask(() => this.#store.settle(persons));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#store.close();
  }

  /** Erased is for good, whatever was asked before and is answered later. */
  #learn(person: string, key: Uint8Array | null): void {
    this.#lost.delete(person);
    if (key === null) this.#known.set(person, null);
    else if (this.#known.get(person) === undefined) this.#known.set(person, new PersonKey(key));
  }

  async #ask<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask();
    } catch (error) {
      throw new LogUnavailable('The keys of people’s data cannot be reached.', { cause: error });
    }
  }
}
