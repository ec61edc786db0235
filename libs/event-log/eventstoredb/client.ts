import { EventStoreDBClient } from '@eventstore/db-client';
import { LogUnavailable } from '../event-log.ts';

/** The client could not even ask what its server can do: nothing was sent. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** What of the client's is protected, and kept here alone. */
interface Asking {
  readonly capabilities: Promise<unknown>;
}

/**
 * The client, made anew when it can no longer recover. Before its first append a client (6.2.1) asks what its server
 * can do, and keeps the answer; a failure too, unless it was `unavailable`: "not leader yet", a deadline, a failed
 * discovery would then fail every append for good.
 */
export class RenewedClient {
  readonly #connectionString: string;
  readonly #closing = new AbortController();
  #client: EventStoreDBClient;
  #failed: Promise<unknown> | undefined;

  /** @throws Error when the connection string cannot be read */
  constructor(connectionString: string) {
    // A conflict that is a value carries a wrong revision (a fault of the client); the last of repeated options counts.
    const joint = connectionString.includes('?') ? '&' : '?';
    this.#connectionString = `${connectionString}${joint}throwOnAppendFailure=true`;
    this.#client = EventStoreDBClient.connectionString(this.#connectionString);
  }

  /** For reads and subscriptions. Where it is another afterwards, what ended on it may have ended too early. */
  get current(): EventStoreDBClient {
    return this.#client;
  }

  /** Aborts when the log is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** @throws LogUnavailable */
  assertOpen(): void {
    if (this.closing.aborted) throw new LogUnavailable('the log is closed');
  }

  /** For an append: knows what its server can do. @throws NotSent */
  async ready(): Promise<EventStoreDBClient> {
    if (this.#capabilities() === this.#failed) {
      const given = this.#client;
      this.#client = EventStoreDBClient.connectionString(this.#connectionString);
      given.dispose().catch(() => undefined);
    }
    const client = this.#client;
    const capabilities = this.#capabilities();
    try {
      await capabilities;
      return client;
    } catch (error) {
      this.#failed = capabilities;
      throw new NotSent('the server does not say what it can do', { cause: error });
    }
  }

  async close(): Promise<void> {
    if (this.closing.aborted) return;
    this.#closing.abort();
    await this.#client.dispose();
  }

  #capabilities(): Promise<unknown> {
    return (this.#client as unknown as Asking).capabilities;
  }
}
