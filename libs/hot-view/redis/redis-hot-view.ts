import type { Position } from '../../event-log/event-log.ts';
import { lineageKey } from '../../tokens/token-id.ts';
import { type Budget, BUDGETS } from '../../usage/use.ts';
import {
  type Admission,
  type CeilingReading,
  type Cost,
  type HotView,
  PARTITIONS,
  type Pass,
  type Standing,
  type UsageReading,
  type Verdict,
  type ViewCompany,
  ViewUnavailable,
  type ViewToken,
  type ViewWorkspace,
} from '../hot-view.ts';
import type { HotViewInspection } from '../inspection.ts';
import type { HotViewMaintenance, RecordedCeilingUse, RecordedUse } from '../maintenance.ts';
import { ADMIT } from './admit.lua.ts';
import { CEILING_USAGE, CONFIRM_EPOCHS, GIVE_BACK, TAKE_CEILING } from './ceiling.lua.ts';
import { Confirmations } from './confirmations.ts';
import { type Connection, script } from './connection.ts';
import { Keys, partitionOf, partitionOfWorkspace } from './keys.ts';
import { openConnection } from './open-connection.ts';
import { REFILL } from './partition.lua.ts';
import { EVERY_PARTITION, type Heard, Partitions } from './partitions.ts';
import {
  type AdmitReply,
  ceilingReadingOf,
  type CeilingUsageReply,
  fieldsOf,
  type GetReply,
  type GiveBackReply,
  inForce,
  NOTHING_USED,
  ParsedRecords,
  type TakeCeilingReply,
  usageOf,
  type UsageReply,
} from './replies.ts';
import { RedisInspection } from './redis-inspection.ts';
import { CONFIRM, GET, PARK, PUT, USAGE } from './tokens.lua.ts';
import { ViewScripts } from './view-scripts.ts';

export interface RedisHotViewOptions {
  /** `redis://…` or `rediss://…`; of a Redis Cluster any node, or several: `redis://a:6379,b:6379`. */
  readonly url: string;
  /** First part of every key. Default: `writ`. */
  readonly namespace?: string;
  /** Deadline of each command, milliseconds. Default: 500. */
  readonly commandTimeoutMs?: number;
  /** A beat older than this, by the view's clock, makes it not ready. Default: 2000. */
  readonly staleMs?: number;
  /** Added to the server's clock, milliseconds: tests move time with it. */
  readonly clockOffsetMs?: () => number;
  /** What an expiry is held against, too: whichever is later, so that no clock gives a token more time. */
  readonly wallClock?: () => number;
}

const SCRIPTS = {
  admit: script(ADMIT),
  get: script(GET),
  put: script(PUT),
  park: script(PARK),
  confirm: script(CONFIRM),
  usage: script(USAGE),
  refill: script(REFILL),
  takeCeiling: script(TAKE_CEILING),
  giveBack: script(GIVE_BACK),
  ceilingUsage: script(CEILING_USAGE),
  confirmEpochs: script(CONFIRM_EPOCHS),
};
const COMMAND_TIMEOUT_MS = 500;
const STALE_MS = 2_000;
const RETRY_NOT_READY_SECONDS = 1;
const WINDOWS_AT_ONCE = 500;
/** As the scripts number them. */
const numberOf = (budget: Budget): number => BUDGETS.indexOf(budget) + 1;

/**
 * The hot view several processes share, in one Redis or a Redis Cluster. Every question is one script on the keys of one
 * partition, decided by the server's clock; what cannot be decided is `not-ready` (DESIGN §8).
 */
export class RedisHotView implements HotView, HotViewMaintenance {
  readonly partitions: Partitions;
  readonly inspection: HotViewInspection;
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #scripts: ViewScripts;
  readonly #wallClock: () => number;
  readonly #records = new ParsedRecords();
  readonly #confirmations = new Confirmations(
    ({ token }) => partitionOf(token.id),
    (partition, passes) => this.#confirmAll(partition, passes),
  );
  readonly #ceilingConfirmations = new Confirmations(
    ({ token }) => partitionOfWorkspace(token.workspace),
    (partition, passes) => this.#confirmCeilings(partition, passes),
  );

  private constructor(connection: Connection, options: RedisHotViewOptions) {
    const { namespace = 'writ', clockOffsetMs = () => 0, staleMs = STALE_MS, wallClock = Date.now } = options;
    this.#connection = connection;
    this.#keys = new Keys(namespace);
    this.#scripts = new ViewScripts(connection, clockOffsetMs, staleMs);
    this.#wallClock = wallClock;
    this.inspection = new RedisInspection(this.#scripts, this.#keys);
    this.partitions = new Partitions(this.#scripts, connection, this.#keys);
  }

  /** @throws Error where no server can be reached, or one may evict keys (`maxmemory-policy` must be `noeviction`) */
  static async open(options: RedisHotViewOptions): Promise<RedisHotView> {
    const { url, commandTimeoutMs = COMMAND_TIMEOUT_MS } = options;
    return new RedisHotView(await openConnection({ url, commandTimeoutMs }), options);
  }

  async admit(admission: Admission): Promise<Verdict> {
    const { id, digest, scope, cost } = admission;
    const cached = this.#records.get(id);
    const args = this.#scripts.standingArgs();
    let reply: AdmitReply;
    try {
      const keys = this.#keysOf(id);
      const stamp = cached?.stamp ?? '';
      const costs = [cost.reads, cost.writes, cost.handshakes];
      const known = [stamp, this.#wallClock(), cached?.token.workspace ?? ''];
      const asked = [...args, digest, scope ?? '', ...costs, ...known];
      reply = (await this.#scripts.run(SCRIPTS.admit, keys, asked)) as AdmitReply;
    } catch (error) {
      return notReady((error as Error).message);
    }
    if (reply[0] === 'unknown') return { kind: 'unknown' };
    if (reply[0] === 'not-ready') {
      if (reply[2] === 1) this.partitions.hear(partitionOf(id), reply[1], args[0]);
      return notReady(reply[1]);
    }
    const [, record, windowSecond, epoch] = reply;
    const written = cached !== undefined && record === '' ? cached.token : this.#records.parse(record);
    if (reply[0] !== 'refused') {
      const [, , , , ...readings] = reply;
      const token = inForce(written, { reads: readings[0], writes: readings[3] });
      const pass: Pass = { kind: 'admitted', token, usage: usageOf(readings), windowSecond, epoch };
      return reply[0] === 'admitted' ? pass : await this.#belowCeiling(pass, admission);
    }
    const [, , , , reason, short, retryAfterSeconds, within, ...readings] = reply;
    return {
      kind: 'refused',
      reason,
      token: inForce(written, { reads: readings[0], writes: readings[3] }),
      usage: usageOf(readings),
      windowSecond,
      short: short === '' ? [] : (short.split(',') as ('reads' | 'writes' | 'handshakes')[]),
      retryAfterSeconds,
      withinRefusals: within === 1,
    };
  }

  async confirm(pass: Pass): Promise<Standing> {
    if (pass.ceiling === undefined) return await this.#confirmations.of(pass);
    const [standing, ofCeiling] = await Promise.all([
      this.#confirmations.of(pass),
      this.#ceilingConfirmations.of(pass),
    ]);
    return standing === 'stands' ? ofCeiling : standing;
  }

  /** @throws ViewUnavailable */
  async get(id: string): Promise<ViewToken | null> {
    const reply = (await this.#scripts.run(SCRIPTS.get, this.#keysOf(id), [])) as GetReply;
    if (reply.length === 0) return null;
    const [record, reads, writes] = reply;
    return inForce(JSON.parse(record) as ViewToken, { reads, writes });
  }

  /** Throws too where it wrote, but a partition that was certified cannot vouch for it any more. */
  async put(tokens: readonly ViewToken[]): Promise<void> {
    const doubts = await this.#writeAll(tokens);
    const doubt = doubts.find((each) => each !== '');
    if (doubt !== undefined) throw new ViewUnavailable(`the hot view may not be trusted: ${doubt}`);
  }

  /** `put` of a view that is being built: it need not vouch for anything yet. @throws ViewUnavailable */
  async build(tokens: readonly ViewToken[]): Promise<void> {
    await this.#writeAll(tokens);
  }

  async putCompanies(companies: readonly ViewCompany[]): Promise<void> {
    vouchedFor(await this.partitions.putCompanies(companies));
  }

  async putWorkspaces(workspaces: readonly ViewWorkspace[]): Promise<void> {
    vouchedFor(await this.partitions.putWorkspaces(workspaces));
  }

  /** @throws ViewUnavailable */
  async usage(ids: readonly string[]): Promise<UsageReading[]> {
    return await Promise.all(ids.map((id) => this.#usageOf(id)));
  }

  /** @throws ViewUnavailable */
  async ceilingUsage(workspace: string): Promise<CeilingReading | null> {
    const args = [this.#scripts.offsetMs, workspace];
    const keys = this.#keysOfWorkspace(workspace);
    const reply = (await this.#scripts.run(SCRIPTS.ceilingUsage, keys, args)) as CeilingUsageReply;
    return reply.length === 0 ? null : ceilingReadingOf(reply);
  }

  health(): { readonly ready: boolean; readonly reason: string | null } {
    return this.partitions.health();
  }

  /** Of each second the greater of what is counted and what is recorded stays. @throws ViewUnavailable */
  async refill(uses: Iterable<RecordedUse>): Promise<void> {
    await this.#refillAll(Map.groupBy(uses, ({ token }) => lineageKey(token)).values(), ([first]) => [
      this.#keys.header(partitionOf(first!.token)),
      this.#keys.windows(first!.token),
    ]);
  }

  /** As `refill`. @throws ViewUnavailable */
  async refillCeilings(uses: Iterable<RecordedCeilingUse>): Promise<void> {
    await this.#refillAll(Map.groupBy(uses, ({ workspace }) => workspace).values(), ([first]) =>
      this.#keysOfWorkspace(first!.workspace),
    );
  }

  /** All partitions at once, built elsewhere than by `partitions`. @throws ViewUnavailable */
  async certify(position: Position | null): Promise<void> {
    const certified = await this.partitions.certify(position, { name: '', partitions: EVERY_PARTITION });
    if (certified.length < PARTITIONS) throw new ViewUnavailable('not every partition could be certified');
  }

  /** @throws ViewUnavailable */
  async useCatalogues(digest: string): Promise<void> {
    await this.partitions.begin(digest);
  }

  /** @throws ViewUnavailable */
  async park(id: string, version: number): Promise<void> {
    await this.#scripts.run(SCRIPTS.park, [this.#keys.token(id)], [version]);
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  async #writeAll(tokens: readonly ViewToken[]): Promise<string[]> {
    const partitions = Map.groupBy(tokens, ({ id }) => partitionOf(id));
    return await Promise.all([...partitions].map(([partition, some]) => this.#write(partition, some)));
  }

  async #write(partition: number, tokens: readonly ViewToken[]): Promise<string> {
    const keys = [this.#keys.header(partition), ...tokens.map(({ id }) => this.#keys.token(id))];
    const args = [...this.#scripts.standingArgs(), ...tokens.flatMap(fieldsOf)];
    return (await this.#scripts.run(SCRIPTS.put, keys, args)) as string;
  }

  async #confirmAll(partition: number, passes: readonly Pass[]): Promise<readonly Standing[]> {
    const keys = [this.#keys.header(partition), ...passes.map(({ token }) => this.#keys.token(token.id))];
    const args = [...this.#scripts.standingArgs(), this.#wallClock(), ...passes.map(({ epoch }) => epoch)];
    try {
      return (await this.#scripts.run(SCRIPTS.confirm, keys, args)) as Standing[];
    } catch {
      return passes.map(() => 'lapsed');
    }
  }

  async #usageOf(id: string): Promise<UsageReading> {
    const reply = (await this.#scripts.run(SCRIPTS.usage, this.#keysOf(id), [this.#scripts.offsetMs])) as UsageReply;
    return usageOf(reply.length === 0 ? NOTHING_USED : reply);
  }

  #keysOf(id: string): string[] {
    const partition = partitionOf(id);
    return [
      this.#keys.header(partition),
      this.#keys.token(id),
      this.#keys.windows(id),
      this.#keys.companies(partition),
    ];
  }

  #keysOfWorkspace(workspace: string): string[] {
    return [this.#keys.header(partitionOfWorkspace(workspace)), this.#keys.ceilingWindows(workspace)];
  }

  /**
   * The second half of a call that its token's windows have let in: its workspace's. Short there, or not to be asked, the
   * token gets back what was taken; a process that dies in between leaves it taken, which errs on the strict side.
   */
  async #belowCeiling(pass: Pass, { cost }: Admission): Promise<Verdict> {
    const { workspace } = pass.token;
    let reply: TakeCeilingReply;
    const standing = this.#scripts.standingArgs();
    try {
      const args = [...standing, workspace, cost.reads, cost.writes];
      const keys = this.#keysOfWorkspace(workspace);
      reply = (await this.#scripts.run(SCRIPTS.takeCeiling, keys, args)) as TakeCeilingReply;
    } catch (error) {
      await this.#giveBack(pass, cost, null).catch(() => undefined);
      return notReady((error as Error).message);
    }
    if (reply[0] === 'none') return pass;
    if (reply[0] === 'taken') {
      const [, windowSecond, epoch, ...readings] = reply;
      const usage = { ...pass.usage, ceiling: ceilingReadingOf(readings) };
      return { ...pass, usage, ceiling: { windowSecond, epoch } };
    }
    if (reply[0] === 'not-ready') {
      this.partitions.hear(partitionOfWorkspace(workspace), reply[1], standing[0]);
      await this.#giveBack(pass, cost, null).catch(() => undefined);
      return notReady(reply[1]);
    }
    const [, short, retryAfterSeconds, ...readings] = reply;
    return await this.#refuseBelowCeiling(pass, cost, short, retryAfterSeconds, ceilingReadingOf(readings));
  }

  async #refuseBelowCeiling(
    pass: Pass,
    cost: Cost,
    short: string,
    retryAfterSeconds: number,
    ceiling: CeilingReading,
  ): Promise<Verdict> {
    let reply: GiveBackReply;
    try {
      reply = await this.#giveBack(pass, cost, retryAfterSeconds);
    } catch (error) {
      return notReady((error as Error).message);
    }
    if (reply[0] === 'unknown') return { kind: 'unknown' };
    if (reply[0] === 'not-ready') return notReady(reply[1]);
    const [, wait, within, ...readings] = reply;
    return {
      kind: 'refused',
      reason: 'ceiling',
      token: pass.token,
      usage: { ...usageOf(readings), ceiling },
      windowSecond: pass.windowSecond,
      short: short.split(',') as ('reads' | 'writes')[],
      retryAfterSeconds: wait,
      withinRefusals: within === 1,
    };
  }

  /** @param retryAfterSeconds of the refusal that is counted; null: it is none. @throws ViewUnavailable */
  async #giveBack(
    { token, epoch, windowSecond }: Pass,
    cost: Cost,
    retryAfterSeconds: number | null,
  ): Promise<GiveBackReply> {
    const taken = [epoch, windowSecond, cost.reads, cost.writes];
    const refusal = retryAfterSeconds === null ? [0, 0] : [1, retryAfterSeconds];
    const args = [...this.#scripts.standingArgs(), ...taken, ...refusal];
    return (await this.#scripts.run(SCRIPTS.giveBack, this.#keysOf(token.id), args)) as GiveBackReply;
  }

  async #confirmCeilings(partition: number, passes: readonly Pass[]): Promise<readonly Standing[]> {
    const epochs = passes.map(({ ceiling }) => ceiling?.epoch ?? '');
    const args = [...this.#scripts.standingArgs(), ...epochs];
    try {
      return (await this.#scripts.run(SCRIPTS.confirmEpochs, [this.#keys.header(partition)], args)) as Standing[];
    } catch {
      return passes.map(() => 'lapsed');
    }
  }

  /** Not all at once: each has the deadline of a command. @param keysOf header and windows, of uses that share them */
  async #refillAll<Use extends Omit<RecordedUse, 'token'>>(
    shared: Iterable<readonly Use[]>,
    keysOf: (uses: readonly Use[]) => string[],
  ): Promise<void> {
    const all = [...shared];
    for (let from = 0; from < all.length; from += WINDOWS_AT_ONCE) {
      const some = all.slice(from, from + WINDOWS_AT_ONCE);
      await Promise.all(some.map((uses) => this.#refillWindows(keysOf(uses), uses)));
    }
  }

  async #refillWindows(keys: readonly string[], uses: readonly Omit<RecordedUse, 'token'>[]): Promise<void> {
    const taken = uses.filter(({ cost }) => cost > 0);
    const buckets = Map.groupBy(
      taken,
      ({ budget, windowSecond, recordedAgoSeconds = '' }) =>
        `${numberOf(budget)} ${windowSecond} ${recordedAgoSeconds}`,
    );
    const counted = [...buckets.values()].flatMap((same) => {
      const { budget, windowSecond, recordedAgoSeconds = '' } = same[0]!;
      return [numberOf(budget), windowSecond, recordedAgoSeconds, same.reduce((sum, { cost }) => sum + cost, 0)];
    });
    await this.#scripts.run(SCRIPTS.refill, keys, [this.#scripts.offsetMs, ...counted]);
  }
}

/** @throws ViewUnavailable where any partition did not hear of what was written, or cannot vouch for it */
function vouchedFor({ doubts, unreached }: Heard): void {
  const [doubt] = [...doubts.values(), ...[...unreached.values()].map(({ message }) => message)];
  if (doubt !== undefined) throw new ViewUnavailable(`the hot view may not be trusted: ${doubt}`);
}

const notReady = (reason: string): Verdict => ({
  kind: 'not-ready',
  reason,
  retryAfterSeconds: RETRY_NOT_READY_SECONDS,
});
