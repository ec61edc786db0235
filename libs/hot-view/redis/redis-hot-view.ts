import type { Position } from '../../event-log/event-log.ts';
import { lineageKey } from '../../tokens/token-id.ts';
import {
  type Admission,
  type CeilingReading,
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
import { Ceilings } from './ceilings.ts';
import { Confirmations } from './confirmations.ts';
import { type Connection, script } from './connection.ts';
import { Keys, partitionOf } from './keys.ts';
import { openConnection } from './open-connection.ts';
import { EVERY_PARTITION, type Heard, Partitions } from './partitions.ts';
import {
  type AdmitReply,
  fieldsOf,
  type GetReply,
  inForce,
  NOTHING_USED,
  notReady,
  ParsedRecords,
  usageOf,
  type UsageReply,
} from './replies.ts';
import { RedisInspection } from './redis-inspection.ts';
import { refillWindows } from './refill.ts';
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
};
const COMMAND_TIMEOUT_MS = 500;
const STALE_MS = 2_000;

/**
 * The hot view several processes share, in one Redis or a Redis Cluster. Every question is one script on the keys of one
 * partition, decided by the server's clock; a call below a ceiling is two, in two partitions (`Ceilings`). What cannot be
 * decided is `not-ready` (DESIGN §8).
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
  readonly #ceilings: Ceilings;

  private constructor(connection: Connection, options: RedisHotViewOptions) {
    const { namespace = 'writ', clockOffsetMs = () => 0, staleMs = STALE_MS, wallClock = Date.now } = options;
    this.#connection = connection;
    this.#keys = new Keys(namespace);
    this.#scripts = new ViewScripts(connection, clockOffsetMs, staleMs);
    this.#wallClock = wallClock;
    this.inspection = new RedisInspection(this.#scripts, this.#keys);
    this.partitions = new Partitions(this.#scripts, connection, this.#keys);
    this.#ceilings = new Ceilings(this.#scripts, this.#keys, this.partitions);
  }

  /** @throws Error where no server can be reached, or one may evict keys (`maxmemory-policy` must be `noeviction`) */
  static async open(options: RedisHotViewOptions): Promise<RedisHotView> {
    const { url, commandTimeoutMs = COMMAND_TIMEOUT_MS } = options;
    return new RedisHotView(await openConnection({ url, commandTimeoutMs }), options);
  }

  async admit({ id, digest, scope, cost }: Admission): Promise<Verdict> {
    const cached = this.#records.get(id);
    const args = this.#scripts.standingArgs();
    let reply: AdmitReply;
    try {
      const keys = this.#keys.ofToken(id);
      const stamp = cached?.stamp ?? '';
      const workspace = cached?.token.workspace ?? '';
      const { reads, writes, handshakes } = cost;
      const asked = [...args, digest, scope ?? '', reads, writes, handshakes, stamp, this.#wallClock(), workspace];
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
      return reply[0] === 'admitted' ? pass : await this.#ceilings.admit(pass, cost);
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

  confirm(pass: Pass): Promise<Standing> {
    return pass.ceiling === undefined ? this.#confirmations.of(pass) : this.#confirmBoth(pass);
  }

  /** @throws ViewUnavailable */
  async get(id: string): Promise<ViewToken | null> {
    const reply = (await this.#scripts.run(SCRIPTS.get, this.#keys.ofToken(id), [])) as GetReply;
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
  ceilingUsage(workspace: string): Promise<CeilingReading | null> {
    return this.#ceilings.usage(workspace);
  }

  health(): { readonly ready: boolean; readonly reason: string | null } {
    return this.partitions.health();
  }

  /** Of each second the greater of what is counted and what is recorded stays. @throws ViewUnavailable */
  async refill(recorded: Iterable<RecordedUse>): Promise<void> {
    const lineages = [...Map.groupBy(recorded, ({ token }) => lineageKey(token)).values()];
    const refills = lineages.map((uses) => {
      const { token } = uses[0]!;
      return { keys: [this.#keys.header(partitionOf(token)), this.#keys.windows(token)], uses };
    });
    await refillWindows(this.#scripts, refills);
  }

  /** As `refill`. @throws ViewUnavailable */
  async refillCeilings(recorded: Iterable<RecordedCeilingUse>): Promise<void> {
    const workspaces = [...Map.groupBy(recorded, ({ workspace }) => workspace)];
    const refills = workspaces.map(([workspace, uses]) => ({ keys: this.#keys.ofWorkspace(workspace), uses }));
    await refillWindows(this.#scripts, refills);
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

  /** Under the token's certificate and the workspace's. */
  async #confirmBoth(pass: Pass): Promise<Standing> {
    const [standing, ofCeiling] = await Promise.all([this.#confirmations.of(pass), this.#ceilings.confirm(pass)]);
    return standing === 'stands' ? ofCeiling : standing;
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
    const reply = (await this.#scripts.run(SCRIPTS.usage, this.#keys.ofToken(id), [
      this.#scripts.offsetMs,
    ])) as UsageReply;
    return usageOf(reply.length === 0 ? NOTHING_USED : reply);
  }
}

/** @throws ViewUnavailable where any partition did not hear of what was written, or cannot vouch for it */
function vouchedFor({ doubts, unreached }: Heard): void {
  const [doubt] = [...doubts.values(), ...[...unreached.values()].map(({ message }) => message)];
  if (doubt !== undefined) throw new ViewUnavailable(`the hot view may not be trusted: ${doubt}`);
}
