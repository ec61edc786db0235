import { ulid } from 'ulid';
import type { Position } from '../../event-log/event-log.ts';
import { lineageKey } from '../../tokens/token-id.ts';
import type { Budget } from '../../usage/use.ts';
import {
  type Admission,
  type HotView,
  PARTITIONS,
  type Pass,
  type Standing,
  type UsageReading,
  type Verdict,
  ViewUnavailable,
  type ViewToken,
} from '../hot-view.ts';
import type { HotViewMaintenance, RecordedUse } from '../maintenance.ts';
import { ADMIT } from './admit.lua.ts';
import { Confirmations } from './confirmations.ts';
import { type Argument, Connection, type Script, script } from './connection.ts';
import { Keys, partitionOf } from './keys.ts';
import { BEAT, CERTIFY, REFILL } from './partition.lua.ts';
import { type AdmitReply, fieldsOf, ParsedRecords, reading, usageOf, type UsageReply } from './replies.ts';
import { CONFIRM, PUT, USAGE } from './tokens.lua.ts';

export interface RedisHotViewOptions {
  /** `redis://…` or `rediss://…`. */
  readonly url: string;
  /** First part of every key. Default: `writ`. */
  readonly namespace?: string;
  /** Deadline of each command, milliseconds. Default: 500. */
  readonly commandTimeoutMs?: number;
  /** A beat older than this, by the view's clock, makes it not ready. Default: 2000. */
  readonly staleMs?: number;
  /** Added to the server's clock, milliseconds: tests move time with it. */
  readonly clockOffsetMs?: () => number;
}

const SCRIPTS = {
  admit: script(ADMIT),
  put: script(PUT),
  confirm: script(CONFIRM),
  usage: script(USAGE),
  certify: script(CERTIFY),
  beat: script(BEAT),
  refill: script(REFILL),
};
const COMMAND_TIMEOUT_MS = 500;
const STALE_MS = 2_000;
const RETRY_NOT_READY_SECONDS = 1;
const LINEAGES_AT_ONCE = 500;
const UNKNOWN = 'it is not known to be certified yet';
const BUDGETS: Readonly<Record<Budget, number>> = { reads: 1, writes: 2, handshakes: 3, refusals: 4 };

/**
 * The hot view several processes share, in one Redis. Every question is one script on the keys of one partition, decided
 * by the server's clock; what cannot be decided is `not-ready` (DESIGN §8).
 */
export class RedisHotView implements HotView, HotViewMaintenance {
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #staleMs: number;
  readonly #offsetMs: () => number;
  readonly #records = new ParsedRecords();
  readonly #confirmations = new Confirmations((partition, passes) => this.#confirmAll(partition, passes));
  /** Why the view may not be asked, as last heard; null: it may, on the run of the server it was heard of. */
  #unready: string | null = UNKNOWN;
  #heardOf: string | null = null;

  private constructor(connection: Connection, options: RedisHotViewOptions) {
    this.#connection = connection;
    this.#keys = new Keys(options.namespace ?? 'writ');
    this.#staleMs = options.staleMs ?? STALE_MS;
    this.#offsetMs = options.clockOffsetMs ?? (() => 0);
  }

  /** @throws Error where the server cannot be reached, or may evict keys (`maxmemory-policy` must be `noeviction`) */
  static async open(options: RedisHotViewOptions): Promise<RedisHotView> {
    const { url, commandTimeoutMs = COMMAND_TIMEOUT_MS } = options;
    return new RedisHotView(await Connection.open({ url, commandTimeoutMs }), options);
  }

  async admit({ id, digest, scope, cost }: Admission): Promise<Verdict> {
    const cached = this.#records.get(id);
    const args = this.#standingArgs();
    let reply: AdmitReply;
    try {
      const keys = [this.#keys.header(partitionOf(id)), this.#keys.token(id), this.#keys.windows(id)];
      const asked = [digest, scope ?? '', cost.reads, cost.writes, cost.handshakes, cached?.version ?? ''];
      reply = (await this.#run(SCRIPTS.admit, keys, [...args, ...asked])) as AdmitReply;
    } catch (error) {
      return notReady((error as Error).message);
    }
    if (reply[0] === 'unknown') return { kind: 'unknown' };
    if (reply[0] === 'not-ready') {
      if (reply[2] === 1) this.#hear(reply[1], args[0]);
      return notReady(reply[1]);
    }
    const [, record, windowSecond, epoch] = reply;
    const token = cached !== undefined && record === '' ? cached : this.#records.parse(record);
    if (reply[0] === 'admitted') {
      const [, , , , ...readings] = reply;
      return { kind: 'admitted', token, usage: usageOf(token, readings), windowSecond, epoch };
    }
    const [, , , , reason, short, retryAfterSeconds, within, ...readings] = reply;
    return {
      kind: 'refused',
      reason,
      token,
      usage: usageOf(token, readings),
      windowSecond,
      short: short === '' ? [] : (short.split(',') as ('reads' | 'writes' | 'handshakes')[]),
      retryAfterSeconds,
      withinRefusals: within === 1,
    };
  }

  confirm(pass: Pass): Promise<Standing> {
    return this.#confirmations.of(pass);
  }

  /** @throws ViewUnavailable */
  async get(id: string): Promise<ViewToken | null> {
    const record = await this.#asking(() => this.#connection.hget(this.#keys.token(id), 'record'));
    return record === null ? null : (JSON.parse(record) as ViewToken);
  }

  /** Throws too where it wrote, but a partition that was certified cannot vouch for it any more. */
  async put(tokens: readonly ViewToken[]): Promise<void> {
    const lineages = [...Map.groupBy(tokens, ({ id }) => lineageKey(id)).values()];
    const doubts = await this.#asking(() => Promise.all(lineages.map((lineage) => this.#write(lineage))));
    const doubt = doubts.find((each) => each !== '');
    if (doubt !== undefined) throw new ViewUnavailable(`the hot view may not be trusted: ${doubt}`);
  }

  /** `put` of a view that is being built: it need not vouch for anything yet. @throws ViewUnavailable */
  async build(tokens: readonly ViewToken[]): Promise<void> {
    const lineages = [...Map.groupBy(tokens, ({ id }) => lineageKey(id)).values()];
    await this.#asking(() => Promise.all(lineages.map((lineage) => this.#write(lineage))));
  }

  /** @throws ViewUnavailable */
  async usage(ids: readonly string[]): Promise<UsageReading[]> {
    return await this.#asking(() => Promise.all(ids.map((id) => this.#usageOf(id))));
  }

  health(): { readonly ready: boolean; readonly reason: string | null } {
    const { runId } = this.#connection;
    const reason = runId === null ? this.#connection.reason : runId === this.#heardOf ? this.#unready : UNKNOWN;
    return { ready: reason === null, reason };
  }

  /** Of each second the greater of what is counted and what is recorded stays. @throws ViewUnavailable */
  async refill(uses: Iterable<RecordedUse>): Promise<void> {
    const lineages = [...Map.groupBy(uses, ({ token }) => lineageKey(token)).values()];
    // Not all at once: each has the deadline of a command.
    for (let from = 0; from < lineages.length; from += LINEAGES_AT_ONCE) {
      const some = lineages.slice(from, from + LINEAGES_AT_ONCE);
      await this.#asking(() => Promise.all(some.map((lineage) => this.#refillLineage(lineage))));
    }
  }

  /** Leaves a mark that a loss of data takes away; answers its name, for `certify`. @throws ViewUnavailable */
  async beginBuilding(): Promise<string> {
    const building = ulid();
    const runId = this.#connection.runId;
    if (runId === null) throw new ViewUnavailable(this.#connection.reason);
    await this.#asking(() =>
      Promise.all(this.#headers().map((key) => this.#connection.setField(key, `building:${building}`, runId))),
    );
    return building;
  }

  /** @throws ViewUnavailable, also where what was built since `beginBuilding` is gone */
  async certify(position: Position | null, building = ''): Promise<void> {
    const args = [...this.#standingArgs(), ulid(), position ?? '', building] as const;
    const certified = await this.#asking(() =>
      Promise.all(this.#headers().map((key) => this.#run(SCRIPTS.certify, [key], args))),
    );
    if (certified.includes(0)) throw new ViewUnavailable('what was built is gone');
    this.#hear(null, args[0]);
  }

  /**
   * Says that the log is followed, and its events up to this position written. Every 250 ms.
   * Answers why the view must be certified anew; null where it stands. @throws ViewUnavailable
   */
  beat(position: Position | null): Promise<string | null> {
    return this.#sayOrAsk(position ?? '');
  }

  /** What `beat` would answer; keeps nothing from growing stale. @throws ViewUnavailable */
  doubt(): Promise<string | null> {
    return this.#sayOrAsk('ask');
  }

  /** @throws ViewUnavailable */
  async park(id: string): Promise<void> {
    await this.#asking(() => this.#connection.setField(this.#keys.token(id), 'parked', '1'));
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  async #sayOrAsk(what: Argument): Promise<string | null> {
    const args = [...this.#standingArgs(), what] as const;
    const reasons = (await this.#asking(() =>
      Promise.all(this.#headers().map((key) => this.#run(SCRIPTS.beat, [key], args))),
    )) as string[];
    const doubt = reasons.find((reason) => reason !== '') ?? null;
    this.#hear(doubt, args[0]);
    return doubt;
  }

  #hear(doubt: string | null, runId: string): void {
    this.#unready = doubt;
    this.#heardOf = runId;
  }

  #standingArgs(): [runId: string, offsetMs: number, staleMs: number] {
    return [this.#connection.runId ?? '', this.#offsetMs(), this.#staleMs];
  }

  #headers(): string[] {
    return Array.from({ length: PARTITIONS }, (_, partition) => this.#keys.header(partition));
  }

  #run(which: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    if (this.#connection.runId === null) return Promise.reject(new ViewUnavailable(this.#connection.reason));
    return this.#connection.run(which, keys, args);
  }

  async #asking<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof ViewUnavailable) throw error;
      throw new ViewUnavailable('the hot view did not answer', { cause: error });
    }
  }

  async #write(lineage: readonly ViewToken[]): Promise<string> {
    const keys = lineage.map(({ id }) => this.#keys.token(id));
    const header = this.#keys.header(partitionOf(lineage[0]!.id));
    const args = [...this.#standingArgs(), ...lineage.flatMap(fieldsOf)];
    return (await this.#run(SCRIPTS.put, [header, ...keys], args)) as string;
  }

  async #confirmAll(partition: number, passes: readonly Pass[]): Promise<readonly Standing[]> {
    const keys = [this.#keys.header(partition), ...passes.map(({ token }) => this.#keys.token(token.id))];
    const args = [...this.#standingArgs(), ...passes.map(({ epoch }) => epoch)];
    try {
      return (await this.#run(SCRIPTS.confirm, keys, args)) as Standing[];
    } catch {
      return passes.map(() => 'lapsed');
    }
  }

  async #usageOf(id: string): Promise<UsageReading> {
    const keys = [this.#keys.header(partitionOf(id)), this.#keys.token(id), this.#keys.windows(id)];
    const reply = (await this.#run(SCRIPTS.usage, keys, [this.#offsetMs()])) as UsageReply;
    const [readsLimit, reads, readsReset, writesLimit, writes, writesReset] =
      reply.length === 0 ? [0, 0, 0, 0, 0, 0] : reply;
    return { reads: reading(readsLimit, reads, readsReset), writes: reading(writesLimit, writes, writesReset) };
  }

  async #refillLineage(uses: readonly RecordedUse[]): Promise<void> {
    const token = uses[0]!.token;
    const keys = [this.#keys.header(partitionOf(token)), this.#keys.windows(token)];
    const taken = uses.filter(({ cost }) => cost > 0);
    const buckets = Map.groupBy(taken, ({ budget, windowSecond }) => `${BUDGETS[budget]} ${windowSecond}`);
    const counted = [...buckets.values()].flatMap((same) => {
      const { budget, windowSecond } = same[0]!;
      return [BUDGETS[budget], windowSecond, same.reduce((sum, { cost }) => sum + cost, 0)];
    });
    await this.#run(SCRIPTS.refill, keys, [this.#offsetMs(), ...counted]);
  }
}

const notReady = (reason: string): Verdict => ({
  kind: 'not-ready',
  reason,
  retryAfterSeconds: RETRY_NOT_READY_SECONDS,
});
