import type { CeilingReading, Cost, Pass, Standing, Verdict } from '../hot-view.ts';
import { CEILING_USAGE, CONFIRM_EPOCHS, GIVE_BACK, TAKE_CEILING } from './ceiling.lua.ts';
import { Confirmations } from './confirmations.ts';
import { script } from './connection.ts';
import { type Keys, partitionOfWorkspace } from './keys.ts';
import type { Partitions } from './partitions.ts';
import {
  ceilingReadingOf,
  type CeilingUsageReply,
  type GiveBackReply,
  notReady,
  type TakeCeilingReply,
  usageOf,
} from './replies.ts';
import type { ViewScripts } from './view-scripts.ts';

const SCRIPTS = {
  take: script(TAKE_CEILING),
  giveBack: script(GIVE_BACK),
  usage: script(CEILING_USAGE),
  confirm: script(CONFIRM_EPOCHS),
};

/** What the tokens of a workspace that has a ceiling take together, in a partition of the workspace's own. */
export class Ceilings {
  readonly #scripts: ViewScripts;
  readonly #keys: Keys;
  readonly #partitions: Partitions;
  readonly #confirmations = new Confirmations(
    ({ token }) => partitionOfWorkspace(token.workspace),
    (partition, passes) => this.#confirmAll(partition, passes),
  );

  constructor(scripts: ViewScripts, keys: Keys, partitions: Partitions) {
    this.#scripts = scripts;
    this.#keys = keys;
    this.#partitions = partitions;
  }

  /**
   * The second half of a call that its token's windows have let in: its workspace's. Short there, or not to be asked, the
   * token gets back what was taken; a process that dies in between leaves it taken, which errs on the strict side.
   */
  async admit(pass: Pass, cost: Cost): Promise<Verdict> {
    const { workspace } = pass.token;
    const standing = this.#scripts.standingArgs();
    let reply: TakeCeilingReply;
    try {
      const args = [...standing, workspace, cost.reads, cost.writes];
      reply = (await this.#scripts.run(SCRIPTS.take, this.#keys.ofWorkspace(workspace), args)) as TakeCeilingReply;
    } catch (error) {
      return await this.#notAsked(pass, cost, (error as Error).message);
    }
    if (reply[0] === 'none') return pass;
    if (reply[0] === 'taken') {
      const [, windowSecond, epoch, ...readings] = reply;
      const usage = { ...pass.usage, ceiling: ceilingReadingOf(readings) };
      return { ...pass, usage, ceiling: { windowSecond, epoch } };
    }
    if (reply[0] === 'not-ready') {
      this.#partitions.hear(partitionOfWorkspace(workspace), reply[1], standing[0]);
      return await this.#notAsked(pass, cost, reply[1]);
    }
    const [, short, retryAfterSeconds, ...readings] = reply;
    return await this.#refuse(pass, cost, short, retryAfterSeconds, ceilingReadingOf(readings));
  }

  /** Whether the certificate stands under which the workspace's part was taken. */
  confirm(pass: Pass): Promise<Standing> {
    return this.#confirmations.of(pass);
  }

  /** Null: it has none. @throws ViewUnavailable */
  async usage(workspace: string): Promise<CeilingReading | null> {
    const args = [this.#scripts.offsetMs, workspace];
    const keys = this.#keys.ofWorkspace(workspace);
    const reply = (await this.#scripts.run(SCRIPTS.usage, keys, args)) as CeilingUsageReply;
    return reply.length === 0 ? null : ceilingReadingOf(reply);
  }

  async #notAsked(pass: Pass, cost: Cost, reason: string): Promise<Verdict> {
    await this.#giveBack(pass, cost, null).catch(() => undefined);
    return notReady(reason);
  }

  async #refuse(
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
    return (await this.#scripts.run(SCRIPTS.giveBack, this.#keys.ofToken(token.id), args)) as GiveBackReply;
  }

  async #confirmAll(partition: number, passes: readonly Pass[]): Promise<readonly Standing[]> {
    const epochs = passes.map(({ ceiling }) => ceiling?.epoch ?? '');
    const args = [...this.#scripts.standingArgs(), ...epochs];
    try {
      return (await this.#scripts.run(SCRIPTS.confirm, [this.#keys.header(partition)], args)) as Standing[];
    } catch {
      return passes.map(() => 'lapsed');
    }
  }
}
