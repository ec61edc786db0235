import { encodeTime, TIME_LEN, ulid } from 'ulid';
import type { Position } from '../../event-log/event-log.ts';
import { PARTITIONS, type ViewCompany, ViewUnavailable, type ViewWorkspace } from '../hot-view.ts';
import { type Connection, script } from './connection.ts';
import type { Keys } from './keys.ts';
import { BEAT, BEGIN, CERTIFY } from './partition.lua.ts';
import { fieldsOfCompany, fieldsOfWorkspace } from './replies.ts';
import { PUT_LIMITS } from './tokens.lua.ts';
import type { ViewScripts } from './view-scripts.ts';

const SCRIPTS = {
  begin: script(BEGIN),
  certify: script(CERTIFY),
  beat: script(BEAT),
  putLimits: script(PUT_LIMITS),
};
const ENDED_AFTER_MS = 3_600_000;
const UNKNOWN = 'it is not known to be certified yet';

export const EVERY_PARTITION: readonly number[] = Array.from({ length: PARTITIONS }, (_, partition) => partition);

/** A building under way: its name, and the partitions that bear its mark. */
export interface Building {
  readonly name: string;
  readonly partitions: readonly number[];
}

/** What was heard of partitions; of those in neither all is well. */
export interface Heard {
  /** Why each must be certified anew. */
  readonly doubts: ReadonlyMap<number, string>;
  /** Those that did not answer: nothing is known of them. */
  readonly unreached: ReadonlyMap<number, ViewUnavailable>;
}

interface Answers {
  readonly reached: ReadonlyMap<number, unknown>;
  readonly unreached: ReadonlyMap<number, ViewUnavailable>;
}

/** Of scripts that answer why their partition does not stand, or ''. */
const heardOf = ({ reached, unreached }: Answers): Heard => ({
  doubts: new Map([...reached].flatMap(([partition, doubt]) => (doubt === '' ? [] : [[partition, String(doubt)]]))),
  unreached,
});

/**
 * The partitions' certificates. In a cluster each lies with the node that holds it, so each is asked, lost and certified
 * on its own.
 */
export class Partitions {
  readonly #scripts: ViewScripts;
  readonly #connection: Connection;
  readonly #keys: Keys;
  /** Why each may not be asked, as last heard; missing: it may. */
  readonly #doubts = new Map<number, string>(EVERY_PARTITION.map((partition) => [partition, UNKNOWN]));
  /** On which run of the server that was. */
  #heardOn: string | null = null;

  constructor(scripts: ViewScripts, connection: Connection, keys: Keys) {
    this.#scripts = scripts;
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Ready as long as any partition is: calls to the others are `not-ready`, one by one. */
  health(): { readonly ready: boolean; readonly reason: string | null } {
    const { runId, reason } = this.#connection;
    if (runId === null) return { ready: false, reason };
    if (runId !== this.#heardOn) return { ready: false, reason: UNKNOWN };
    const [doubt] = this.#doubts.values();
    if (doubt === undefined) return { ready: true, reason: null };
    if (this.#doubts.size === PARTITIONS) return { ready: false, reason: doubt };
    return { ready: true, reason: `${this.#doubts.size} of ${PARTITIONS} partitions are not ready: ${doubt}` };
  }

  hear(partition: number, doubt: string | null, runId: string): void {
    this.#heardOn = runId;
    if (doubt === null) this.#doubts.delete(partition);
    else this.#doubts.set(partition, doubt);
  }

  /**
   * Leaves a mark on each that can be reached, which a loss of data takes away, and from here on counts what is written
   * under these catalogues. @throws ViewUnavailable where none can be reached
   */
  async begin(catalogues: string, partitions: readonly number[] = EVERY_PARTITION): Promise<Building> {
    const name = ulid();
    const ended = encodeTime(Date.now() - ENDED_AFTER_MS, TIME_LEN);
    const [runId] = this.#scripts.standingArgs();
    const { reached, unreached } = await this.#each(partitions, (key) =>
      this.#scripts.run(SCRIPTS.begin, [key], [runId, name, catalogues, ended]),
    );
    const [failure] = unreached.values();
    if (reached.size === 0 && failure !== undefined) throw failure;
    return { name, partitions: [...reached.keys()] };
  }

  /** Answers those that were certified: what was built of the others since `begin` is gone, in part at least, or may be. */
  async certify(position: Position | null, { name, partitions }: Building): Promise<readonly number[]> {
    const args = [...this.#scripts.standingArgs(), ulid(), position ?? '', name] as const;
    const { reached } = await this.#each(partitions, (key) => this.#scripts.run(SCRIPTS.certify, [key], args));
    const certified = [...reached].flatMap(([partition, answer]) => (answer === 1 ? [partition] : []));
    for (const partition of certified) this.hear(partition, null, args[0]);
    return certified;
  }

  /** Says that the log is followed, and its events up to this position written. Every 250 ms. */
  beat(position: Position | null, partitions: readonly number[] = EVERY_PARTITION): Promise<Heard> {
    return this.#sayOrAsk(position ?? '', partitions);
  }

  /** What `beat` would answer; keeps nothing from growing stale. */
  doubts(partitions: readonly number[] = EVERY_PARTITION): Promise<Heard> {
    return this.#sayOrAsk('ask', partitions);
  }

  /** Writes what companies say into each. `doubts`: it is written, but the partition cannot vouch for it. */
  putCompanies(companies: readonly ViewCompany[], partitions: readonly number[] = EVERY_PARTITION): Promise<Heard> {
    return this.#putLimits(
      companies.flatMap(fieldsOfCompany),
      (partition) => this.#keys.companies(partition),
      partitions,
    );
  }

  /** As `putCompanies`, what workspaces say. */
  putWorkspaces(workspaces: readonly ViewWorkspace[], partitions: readonly number[] = EVERY_PARTITION): Promise<Heard> {
    return this.#putLimits(
      workspaces.flatMap(fieldsOfWorkspace),
      (partition) => this.#keys.header(partition),
      partitions,
    );
  }

  async #putLimits(
    fields: readonly (string | number)[],
    keyOf: (partition: number) => string,
    partitions: readonly number[],
  ): Promise<Heard> {
    if (fields.length === 0) return { doubts: new Map(), unreached: new Map() };
    const args = [...this.#scripts.standingArgs(), ...fields];
    return heardOf(
      await this.#each(partitions, (header, partition) =>
        this.#scripts.run(SCRIPTS.putLimits, [header, keyOf(partition)], args),
      ),
    );
  }

  async #sayOrAsk(what: Position | '' | 'ask', partitions: readonly number[]): Promise<Heard> {
    const args = [...this.#scripts.standingArgs(), what] as const;
    const answers = await this.#each(partitions, (key) => this.#scripts.run(SCRIPTS.beat, [key], args));
    for (const [partition, answer] of answers.reached)
      this.hear(partition, answer === '' ? null : String(answer), args[0]);
    for (const [partition, { message }] of answers.unreached) this.hear(partition, message, args[0]);
    return heardOf(answers);
  }

  async #each(
    partitions: readonly number[],
    ask: (headerKey: string, partition: number) => Promise<unknown>,
  ): Promise<Answers> {
    const reached = new Map<number, unknown>();
    const unreached = new Map<number, ViewUnavailable>();
    const asking = partitions.map(async (partition) => {
      try {
        reached.set(partition, await ask(this.#keys.header(partition), partition));
      } catch (error) {
        unreached.set(partition, error as ViewUnavailable);
      }
    });
    await Promise.all(asking);
    return { reached, unreached };
  }
}
