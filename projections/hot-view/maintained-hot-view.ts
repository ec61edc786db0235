import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Catalogues } from '../../libs/catalogue/catalogue.ts';
import type { EventLog, Position } from '../../libs/event-log/event-log.ts';
import type { HotView } from '../../libs/hot-view/hot-view.ts';
import type { HotViewInspection } from '../../libs/hot-view/inspection.ts';
import type { Comparison, Difference, Parked } from '../../libs/projection/build.ts';
import type {
  MaintainedView,
  Obstacle,
  Progress,
  Verification,
  ViewStatus,
} from '../../libs/projection/maintained-view.ts';
import { type StandingToken, toViewToken } from '../../libs/tokens/view-token.ts';
import { Checksum } from './checksum.ts';
import { compareWindows } from './compare-windows.ts';
import { type FoldedView, foldView } from './fold-view.ts';
import { Inspector, type Mode } from './inspector.ts';

export interface MaintainedHotViewOptions {
  readonly log: EventLog;
  readonly view: HotView & { readonly inspection: HotViewInspection };
  readonly catalogues: Catalogues;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Of what follows the log into the view. */
  readonly position: () => Position | null;
  readonly onFault: (error: Error) => void;
}

const VERSION = 1;
const TOKENS_A_LOOK = 500;
/** Of the whole work, reading the log. */
const READING_SHARE = 0.5;

/** One pass over log and view. */
interface Pass {
  readonly mode: Mode;
  readonly stop: AbortController;
  readonly beganMs: number;
  stopped: boolean;
  events: number;
  position: Position | null;
  head: Position | null;
  share: number;
  /** Tokens that are done, in the log's order: a stopped pass goes on behind them. */
  done: number;
}

/**
 * The hot view as operators see it. It has no second version to build beside: a rebuild goes through it token by token
 * while it serves, and writes what is not as the log says; windows and certificates stay. The process that is asked does
 * it, and tells of it.
 */
export class MaintainedHotView implements MaintainedView {
  readonly name = 'hot-view';
  readonly readsStored = false;
  readonly #options: MaintainedHotViewOptions;
  readonly #inspector: Inspector;
  #rebuild: Pass | null = null;
  #verify: Pass | null = null;
  #verification: Verification | null = null;
  #parked: readonly Parked[] = [];
  #fault: string | null = null;
  #working: Promise<void> = Promise.resolve();

  constructor(options: MaintainedHotViewOptions) {
    this.#options = options;
    this.#inspector = new Inspector(options);
  }

  async status(): Promise<ViewStatus> {
    const { log, view, position } = this.#options;
    const { ready, reason } = view.health();
    return {
      name: this.name,
      version: VERSION,
      serving_version: VERSION,
      position: position(),
      head: await log.head().catch(() => null),
      leading: true,
      fault: this.#fault ?? (ready ? null : reason),
      parked: this.#parked.map((parked) => ({ ...parked, retrying: false })),
      rebuild: this.#rebuild === null ? null : progressOf(this.#rebuild),
      verification:
        this.#verify === null ? this.#verification : { state: 'running', progress: progressOf(this.#verify) },
    };
  }

  async rebuild(anew: boolean): Promise<Obstacle> {
    const under = this.#rebuild;
    if (under !== null && !under.stopped && !anew) return null;
    // What is being compared would change under it.
    await this.stop();
    const pass = newPass('mend', under === null || anew ? 0 : under.done);
    this.#rebuild = pass;
    this.#begin(pass, () => {
      this.#rebuild = null;
    });
    return null;
  }

  async stopRebuild(): Promise<Obstacle> {
    if (this.#rebuild === null) return 'No rebuild is under way.';
    this.#rebuild.stop.abort();
    await this.#working;
    return null;
  }

  async verify(): Promise<Obstacle> {
    if (this.#rebuild !== null && !this.#rebuild.stopped) return 'It is being rebuilt. Verify it after that.';
    if (this.#verify !== null) return null;
    const pass = newPass('compare', 0);
    this.#verify = pass;
    this.#begin(pass, (comparison) => {
      this.#verify = null;
      const same = comparison.difference === null;
      this.#verification = { state: same ? 'same' : 'different', at: new Date().toISOString(), ...comparison };
    });
    return null;
  }

  /** A token is tried again with each of its events, and at each start. */
  async retry(stream: string): Promise<Obstacle> {
    return `The stream ${stream} is tried again when a release that understands it starts.`;
  }

  async stop(): Promise<void> {
    this.#rebuild?.stop.abort();
    this.#verify?.stop.abort();
    await this.#working;
  }

  #begin(pass: Pass, ended: (comparison: Comparison) => void): void {
    this.#fault = null;
    this.#working = this.#go(pass).then(ended, (error: unknown) => {
      pass.stopped = true;
      if (this.#verify === pass) this.#verify = null;
      if (pass.stop.signal.aborted) return;
      this.#fault = (error as Error).message;
      this.#options.onFault(error as Error);
    });
  }

  async #go(pass: Pass): Promise<Comparison> {
    const { log, catalogues } = this.#options;
    pass.head = await log.head();
    const folded = await this.#fold(pass);
    this.#parked = [...folded.parked.values()];
    const rows = { tokens: 0, companies: folded.companies.length };
    const tokens = new Checksum();
    let difference: Difference | null = null;
    const known = new Set<string>(folded.parked.keys());
    const all = [...folded.tokens()];
    for (let from = 0; from < all.length; from += TOKENS_A_LOOK) {
      pass.stop.signal.throwIfAborted();
      const some = all.slice(from, from + TOKENS_A_LOOK).map((token: StandingToken) => toViewToken(token, catalogues));
      for (const token of some) {
        known.add(token.id);
        tokens.add(JSON.stringify(token));
      }
      rows.tokens += some.length;
      // What a stopped pass has done it need not do again.
      if (from + some.length > pass.done) difference ??= await this.#inspector.tokens(some, pass.mode);
      pass.done = Math.max(pass.done, from + some.length);
      pass.share = READING_SHARE + ((1 - READING_SHARE) * pass.done) / (all.length + 1);
      await nextTurn();
    }
    const unknown = await this.#inspector.unknown(known, pass.mode, pass.stop.signal);
    difference ??= unknown;
    const companies = await this.#inspector.companies(folded.companies, pass.mode);
    const companySum = new Checksum();
    for (const company of folded.companies) companySum.add(JSON.stringify(company));
    const workspaces = await this.#inspector.workspaces(folded.workspaces, pass.mode);
    const workspaceSum = new Checksum();
    for (const workspace of folded.workspaces) workspaceSum.add(JSON.stringify(workspace));
    // A rebuild leaves them as they are.
    const windows = pass.mode === 'mend' ? null : await compareWindows(this.#options, pass.stop.signal);
    return {
      position: pass.position,
      tables: [
        { table: 'tokens', rows: rows.tokens, checksum: tokens.text, same: difference === null },
        { table: 'companies', rows: rows.companies, checksum: companySum.text, same: companies === null },
        {
          table: 'workspaces',
          rows: folded.workspaces.length,
          checksum: workspaceSum.text,
          same: workspaces === null,
        },
        ...(windows === null ? [] : [windows.table]),
      ],
      difference: difference ?? companies ?? workspaces ?? windows?.difference ?? null,
    };
  }

  async #fold(pass: Pass): Promise<FoldedView> {
    const { log } = this.#options;
    return await foldView(log, {
      onEvent({ position }) {
        pass.stop.signal.throwIfAborted();
        pass.events++;
        pass.position = position;
        const read = pass.head === null || pass.head === 0 ? 1 : Math.min(1, position / pass.head);
        pass.share = READING_SHARE * read;
        return pass.events % TOKENS_A_LOOK === 0 ? nextTurn() : undefined;
      },
    });
  }
}

const newPass = (mode: Mode, done: number): Pass => ({
  mode,
  done,
  stop: new AbortController(),
  beganMs: performance.now(),
  stopped: false,
  events: 0,
  position: null,
  head: null,
  share: 0,
});

function progressOf({ stopped, events, beganMs, position, head, share }: Pass): Progress {
  const seconds = (performance.now() - beganMs) / 1000;
  return {
    version: VERSION,
    state: stopped ? 'stopped' : 'running',
    events,
    events_per_second: seconds === 0 ? 0 : Math.round(events / seconds),
    position,
    head,
    share: Math.round(share * 10_000) / 10_000,
    seconds_left: share === 0 ? null : Math.ceil(seconds * ((1 - share) / share)),
    parked: 0,
  };
}
