import { setTimeout as sleep } from 'node:timers/promises';
import { type EventLog, type Position, WrongExpectedRevision } from '../event-log/event-log.ts';
import { newId } from '../ids/new-id.ts';
import { Courtesy } from '../projection/courtesy.ts';
import type { EventRecord } from '../transparency/event-record.ts';
import { holdsMoreThanHousekeeping } from '../transparency/housekeeping.ts';
import { batchesOf } from './batches.ts';
import { CheckpointKeeper } from './checkpoint-keeper.ts';
import { type Lead, patienceMs, readLead, writeCheckpoint } from './lead.ts';
import type { NotTaken, Receiver } from './receiver.ts';

export interface PushOptions {
  /** Names receiver and checkpoint. */
  readonly name: string;
  readonly receiver: Receiver;
  readonly log: EventLog;
  /** No other process writes to this log: whoever led is gone. */
  readonly alone: boolean;
  readonly onFault: (error: Error) => void;
  /** Between checkpoints while there is something to push. Default: 5000. */
  readonly checkpointMs?: number;
  /** How long a checkpoint that should move may stand before its process is taken for dead. Default: 60000. */
  readonly patienceMs?: number;
  /** The first pause after a failure; doubled up to a minute. Default: 1000. */
  readonly backOffMs?: number;
}

/** As it goes over the wire. */
export interface PushStatus {
  readonly name: string;
  /** Whether this very process pushes. */
  readonly leading: boolean;
  /** Everything up to this position was taken, as the checkpoint says; null: nothing yet. */
  readonly up_to: Position | null;
  readonly head: Position | null;
  /** By this process since its start: taken by the receiver, and of those rejected by its own word. */
  readonly sent: number;
  readonly rejected: number;
  /** Why it stands still at the moment; null when it does not. */
  readonly fault: string | null;
}

const LONGEST_BACK_OFF_MS = 60_000;
const LOOK_MS = 2_000;

/**
 * Pushes the whole history to a receiver, in the log's order, and then what is new: at least once, from a checkpoint in
 * the log itself. One process of several does; what is under way at a time is one batch. Nothing waits for it.
 */
export class Push {
  readonly name: string;
  readonly #options: PushOptions;
  readonly #by = newId();
  readonly #stopping = new AbortController();
  readonly #courtesy = new Courtesy();
  #loop: Promise<void> = Promise.resolve();
  #leading = false;
  #sent = 0;
  #rejected = 0;
  #fault: string | null = null;

  constructor(options: PushOptions) {
    this.name = options.name;
    this.#options = options;
  }

  start(): this {
    this.#loop = this.#run();
    return this;
  }

  /** What the receiver has taken is in the checkpoint then. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** @throws LogUnavailable */
  async status(): Promise<PushStatus> {
    const { log, name } = this.#options;
    const [lead, head] = await Promise.all([readLead(log, name), log.head()]);
    return {
      name,
      leading: this.#leading,
      up_to: lead?.checkpoint.up_to ?? null,
      head,
      sent: this.#sent,
      rejected: this.#rejected,
      fault: this.#fault,
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const lead = await this.#takeLead();
        if (lead !== null) await this.#push(lead);
      } catch (error) {
        if (!signal.aborted && !(error instanceof WrongExpectedRevision)) this.#failed(error as Error);
        await sleep(this.#options.backOffMs ?? LOOK_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Waits until it is this process's turn; null: it was stopped first. */
  async #takeLead(): Promise<Lead | null> {
    const { log, name, alone, patienceMs: atFirstMs = 60_000 } = this.#options;
    const { signal } = this.#stopping;
    // The checkpoint that stands although there is more to push, and since when it was seen to.
    const standing = { revision: -1, sinceMs: 0 };
    while (!signal.aborted) {
      const lead = await readLead(log, name);
      if (lead === null || alone || lead.checkpoint.by === this.#by) return await this.#takeOver(lead);
      if (standing.revision !== lead.revision) {
        if (await this.#anythingAfter(lead.checkpoint.up_to)) {
          standing.revision = lead.revision;
          standing.sinceMs = performance.now();
        }
      } else if (performance.now() - standing.sinceMs > patienceMs(lead.checkpoint, atFirstMs)) {
        return await this.#takeOver(lead);
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
    return null;
  }

  async #takeOver(lead: Lead | null): Promise<Lead> {
    const { log, name } = this.#options;
    const { up_to = null, takeovers = -1 } = lead?.checkpoint ?? {};
    const data = { up_to, by: this.#by, takeovers: takeovers + 1, at: new Date().toISOString() };
    return await writeCheckpoint(log, name, data, lead?.revision ?? null);
  }

  async #anythingAfter(position: Position | null): Promise<boolean> {
    return await holdsMoreThanHousekeeping(this.#options.log, position === null ? {} : { after: position });
  }

  /** Until it is stopped or the lead is lost. @throws WrongExpectedRevision: lost */
  async #push(lead: Lead): Promise<void> {
    const { log, name, checkpointMs = 5_000 } = this.#options;
    const keeper = new CheckpointKeeper(log, name, lead, checkpointMs);
    const signal = AbortSignal.any([this.#stopping.signal, keeper.lost]);
    this.#leading = true;
    try {
      for await (const message of log.subscribe({ after: lead.checkpoint.up_to, signal })) {
        if (message.kind !== 'events') continue;
        for (const batch of batchesOf(message.events)) {
          await this.#send(batch.records, signal);
          keeper.taken(batch.upTo, batch.housekeeping);
          await this.#courtesy.giveWay(signal);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#leading = false;
      await keeper.close();
    }
  }

  /** Again and again, until the receiver has taken it. */
  async #send(records: readonly EventRecord[], signal: AbortSignal): Promise<void> {
    let backOffMs = this.#options.backOffMs ?? 1_000;
    for (;;) {
      try {
        const { rejected } = await this.#options.receiver.send(records, signal);
        this.#sent += records.length;
        this.#rejected += rejected;
        this.#fault = null;
        if (rejected > 0)
          this.#options.onFault(new Error(`the receiver threw ${rejected} of ${records.length} records away`));
        return;
      } catch (error) {
        signal.throwIfAborted();
        this.#failed(error as Error);
        const askedMs = (error as Partial<NotTaken>).retryAfterMs ?? 0;
        const jitter = 0.75 + Math.random() / 2;
        await sleep(Math.min(Math.max(backOffMs * jitter, askedMs), LONGEST_BACK_OFF_MS), undefined, { signal });
        backOffMs *= 2;
      }
    }
  }

  /** Told once as long as it is the same. */
  #failed(error: Error): void {
    if (this.#fault !== error.message) this.#options.onFault(error);
    this.#fault = error.message;
  }
}
