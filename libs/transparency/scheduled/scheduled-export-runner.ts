import { setTimeout as sleep } from 'node:timers/promises';
import { decideAndAppend, load } from '../../event-log/decide-and-append.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import { ownMetadata } from '../../event-log/own-metadata.ts';
import { newId } from '../../ids/new-id.ts';
import { isProblem } from '../../problem/problem.ts';
import { Courtesy } from '../../projection/courtesy.ts';
import { nextSlot } from '../../routines/schedule.ts';
import type { ScheduledExport } from '../../settings/export-settings.ts';
import { exportAs, extensionOf } from '../export-as.ts';
import { holdsMoreThanHousekeeping } from '../housekeeping.ts';
import type { CheckpointPublisher } from '../publisher.ts';
import type { Tree } from '../tree.ts';
import { type ExportRange, holds, type ScheduledExportCommand, scheduledExportDecider } from './decide.ts';
import { type AuditExportWritten, SCHEDULED_EXPORTS_STREAM } from './events.ts';
import { ExportFolder, type OpenFile } from './export-folder.ts';

export interface ScheduledExportOptions extends ScheduledExport {
  readonly log: EventLog;
  readonly tree: Tree;
  readonly publisher: CheckpointPublisher;
  /** No other process writes to this log: what is begun and not written, one that is gone has left. */
  readonly alone: boolean;
  /** Unix ms. */
  readonly clock: () => number;
  readonly onFault: (error: Error) => void;
  readonly openFile?: OpenFile;
}

/** As it goes over the wire. */
export interface ScheduledExportStatus {
  readonly folder: string;
  readonly every: string;
  readonly format: ScheduledExport['format'];
  /** Leaves that files hold already. */
  readonly up_to: number;
  readonly next_at: string | null;
  /** The range that is begun, by whichever process, and not written yet. */
  readonly begun: Pick<ExportRange, 'file' | 'from_leaf' | 'up_to' | 'at'> | null;
  readonly last: AuditExportWritten['data'] | null;
  /** Why this process's last attempt failed; null: it did not. */
  readonly fault: { readonly at: string; readonly reason: string } | null;
}

export type RunOutcome = 'written' | 'nothing-new' | 'elsewhere' | 'failed';

/** A process that has been at a range for longer is taken for dead. */
const PATIENCE_MS = 30 * 60_000;
/** A clock may be set meanwhile. */
const LONGEST_SLEEP_MS = 30_000;

/**
 * Writes what is new in the log into a folder, slot after slot, each file from where the last one ended to a signed
 * checkpoint. Of several processes one does: it claims the range by an append that only one can make.
 */
export class ScheduledExportRunner {
  readonly #options: ScheduledExportOptions;
  readonly #folder: ExportFolder;
  readonly #by = newId();
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #nextAtMs: number | null = null;
  #fault: ScheduledExportStatus['fault'] = null;

  constructor(options: ScheduledExportOptions) {
    this.#options = options;
    this.#folder = new ExportFolder(options.folder, options.openFile);
  }

  start(): this {
    this.#loop = this.#runSlots();
    return this;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** @throws LogUnavailable */
  async status(): Promise<ScheduledExportStatus> {
    const { folder, every, format } = this.#options;
    const { state } = await this.#load();
    return {
      folder,
      every,
      format,
      up_to: state.nextLeaf,
      next_at: this.#nextAtMs === null ? null : new Date(this.#nextAtMs).toISOString(),
      begun: state.status === 'begun' ? pick(state.range) : null,
      last: state.last,
      fault: this.#fault,
    };
  }

  /** One slot's work. Never throws: a fault is told, and the next run takes up the same range. */
  async run(): Promise<RunOutcome> {
    try {
      const range = await this.#claim();
      const outcome = typeof range === 'string' ? range : await this.#write(range);
      this.#fault = null;
      return outcome;
    } catch (error) {
      if (this.#stopping.signal.aborted) return 'failed';
      this.#fault = { at: this.#now(), reason: (error as Error).message };
      this.#options.onFault(error as Error);
      return 'failed';
    }
  }

  async #runSlots(): Promise<void> {
    const { every, clock } = this.#options;
    const { signal } = this.#stopping;
    let slotMs = nextSlot({ cron: every, time_zone: 'UTC' }, clock());
    while (!signal.aborted && slotMs !== null) {
      this.#nextAtMs = slotMs;
      const restMs = slotMs - clock();
      if (restMs > 0) {
        await sleep(Math.min(restMs, LONGEST_SLEEP_MS), undefined, { signal }).catch(() => undefined);
        continue;
      }
      await this.run();
      slotMs = nextSlot({ cron: every, time_zone: 'UTC' }, clock());
    }
  }

  async #claim(): Promise<ExportRange | 'nothing-new' | 'elsewhere'> {
    const { state } = await this.#load();
    const at = this.#now();
    if (state.status === 'begun') {
      const { range } = state;
      if (range.by === this.#by) return range;
      const isDead = this.#options.alone || this.#options.clock() - Date.parse(range.at) > PATIENCE_MS;
      return isDead ? await this.#append({ kind: 'take-over', upTo: range.up_to, by: this.#by, at }) : 'elsewhere';
    }
    const checkpoint = await this.#options.publisher.publish();
    if (isProblem(checkpoint)) throw new Error(checkpoint.detail);
    if (!(await this.#anythingNew(state.nextLeaf, checkpoint.size))) return 'nothing-new';
    const { format } = this.#options;
    const fileOf = (from: number, upTo: number): string =>
      `writ-audit-${padded(from)}-${padded(upTo)}.${extensionOf(format)}`;
    return await this.#append({ kind: 'begin', up_to: checkpoint.size, format, by: this.#by, at, fileOf });
  }

  /** The range, where it is now this process's. */
  async #append(command: ScheduledExportCommand): Promise<ExportRange | 'elsewhere'> {
    const { log } = this.#options;
    const context = { eventId: () => crypto.randomUUID(), metadata: ownMetadata() };
    const outcome = await decideAndAppend(log, SCHEDULED_EXPORTS_STREAM, scheduledExportDecider, command, context);
    if (outcome.kind !== 'done' || outcome.state.status !== 'begun') return 'elsewhere';
    return outcome.state.range.by === this.#by ? outcome.state.range : 'elsewhere';
  }

  async #anythingNew(fromLeaf: number, upTo: number): Promise<boolean> {
    if (fromLeaf >= upTo) return false;
    const { log, tree } = this.#options;
    const after = fromLeaf === 0 ? null : await tree.positionOf(fromLeaf - 1);
    return await holdsMoreThanHousekeeping(log, { ...(after === null ? {} : { after }), limit: upTo - fromLeaf });
  }

  async #write({ from_leaf, up_to, format, file, at }: ExportRange): Promise<RunOutcome> {
    const { log, tree, publisher } = this.#options;
    const checkpoint = await publisher.signedOver(up_to);
    if (checkpoint === null) throw new Error(`no checkpoint was signed over ${up_to} leaves`);
    const filter = { from_leaf };
    const content = exportAs(format, { log, tree, checkpoint, filter, mayShow: () => true, madeAt: at });
    const written = await this.#folder.write(
      file,
      this.#by,
      this.#givingWay(content),
      () => ({ format, from_leaf, up_to, checkpoint: checkpoint.note, written_at: this.#now() }),
      async () => holds((await this.#load()).state, up_to, this.#by),
    );
    if (written === null) return 'elsewhere';
    await this.#append({ kind: 'written', up_to, file, ...written, by: this.#by, at: this.#now() });
    return 'written';
  }

  /** Calls are answered meanwhile. */
  async *#givingWay(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { signal } = this.#stopping;
    const courtesy = new Courtesy();
    for await (const piece of content) {
      signal.throwIfAborted();
      yield piece;
      await courtesy.giveWay(signal);
    }
  }

  #load() {
    return load(this.#options.log, SCHEDULED_EXPORTS_STREAM, scheduledExportDecider);
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString();
  }
}

const pick = ({ file, from_leaf, up_to, at }: ExportRange) => ({ file, from_leaf, up_to, at });

/** So that names sort as ranges do. */
const padded = (leaf: number): string => String(leaf).padStart(12, '0');
