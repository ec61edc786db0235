import type { EventLog, Position } from '../event-log/event-log.ts';
import { type Lead, writeCheckpoint } from './lead.ts';

/** Writes now and then what was taken last; one write at a time. */
export class CheckpointKeeper {
  readonly #log: EventLog;
  readonly #name: string;
  readonly #everyMs: number;
  readonly #lost = new AbortController();
  #lead: Lead;
  #taken: Position | null;
  #unwritten = false;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(log: EventLog, name: string, lead: Lead, everyMs: number) {
    this.#log = log;
    this.#name = name;
    this.#lead = lead;
    this.#everyMs = everyMs;
    this.#taken = lead.checkpoint.up_to;
  }

  /** Aborted when the checkpoint cannot be written any more: another process leads, or nobody knows. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** @param housekeeping it is no reason for a checkpoint: after a crash it comes again */
  taken(position: Position, housekeeping: boolean): void {
    this.#taken = position;
    if (housekeeping) return;
    this.#unwritten = true;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#writing = this.#write();
    }, this.#everyMs);
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
  }

  async #write(): Promise<void> {
    if (!this.#unwritten || this.#lost.signal.aborted) return;
    this.#unwritten = false;
    const { by } = this.#lead.checkpoint;
    const data = { up_to: this.#taken, by, takeovers: 0, at: new Date().toISOString() };
    try {
      this.#lead = await writeCheckpoint(this.#log, this.#name, data, this.#lead.revision);
    } catch (error) {
      // Whatever became of it, the next to lead reads what is there.
      this.#lost.abort(error);
    }
  }
}
