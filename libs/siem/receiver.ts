import type { EventRecord } from '../transparency/event-record.ts';

/** Somebody else's store of log records. */
export interface Receiver {
  /**
   * Resolves once the receiver has taken all of them. Records it has taken before may come again, under the same ids.
   * @throws NotTaken: none, some or all of them may have been taken
   */
  send(records: readonly EventRecord[], signal: AbortSignal): Promise<Taken>;
}

export interface Taken {
  /** Records that were taken and thrown away by the receiver, by its own word: it does not want them again. */
  readonly rejected: number;
}

export class NotTaken extends Error {
  override readonly name = 'NotTaken';

  constructor(
    message: string,
    /** When the receiver wants to be asked again. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }
}

/** A receiver that says nothing for so long is let go. */
export const SILENT_MS = 15_000;
