import { Window } from '../../window/window.ts';
import type { OwnLimits } from '../../tokens/events.ts';
import type { Taken } from '../inspection.ts';
import type { CeilingReading, Cost, ViewWorkspace, WindowReading } from '../hot-view.ts';
import { takenFrom } from './taken.ts';

type CeilingBudget = 'reads' | 'writes';
const BUDGETS: readonly CeilingBudget[] = ['reads', 'writes'];

/** What a workspace's tokens may take together, and have taken since it was set. */
export class Ceiling {
  readonly #limits: OwnLimits;
  readonly #windows: Readonly<Record<CeilingBudget, Window>>;

  constructor(limits: OwnLimits, windows: Readonly<Record<CeilingBudget, Window>>) {
    this.#limits = limits;
    this.#windows = windows;
  }

  /** The budgets whose ceiling the cost would exceed. */
  short(cost: Cost, second: number): readonly CeilingBudget[] {
    return BUDGETS.filter((budget) => {
      const limit = this.#limits[budget];
      return limit !== null && cost[budget] > 0 && this.#windows[budget].used(second) + cost[budget] > limit;
    });
  }

  retryAfterSeconds(cost: Cost, second: number, short: readonly CeilingBudget[]): number {
    const waits = short.map((budget) =>
      this.#windows[budget].retryAfterSeconds(second, cost[budget], this.#limits[budget] ?? Infinity),
    );
    return Math.max(...waits);
  }

  take(cost: Cost, second: number): void {
    for (const budget of BUDGETS) if (cost[budget] > 0) this.#windows[budget].take(second, cost[budget]);
  }

  reading(second: number): CeilingReading {
    return { reads: this.#reading('reads', second), writes: this.#reading('writes', second) };
  }

  #reading(budget: CeilingBudget, second: number): WindowReading | null {
    const [limit, window] = [this.#limits[budget], this.#windows[budget]];
    return limit === null ? null : { limit, used: window.used(second), resetSeconds: window.resetSeconds(second) };
  }
}

/** A workspace, as each of its tokens' entries holds it: there a call finds its ceiling without a look-up. */
export class Workspace {
  /** Null: none is set. */
  ceiling: Ceiling | null = null;
  #held: ViewWorkspace | null = null;
  /** They stay when a ceiling is lifted: set again, it counts what they still hold. */
  #windows = { reads: new Window(), writes: new Window() };

  get held(): ViewWorkspace | null {
    return this.#held;
  }

  hold(held: ViewWorkspace | null): void {
    this.#held = held;
    const limits = held?.ceiling ?? null;
    const none = limits === null || (limits.reads === null && limits.writes === null);
    this.ceiling = none ? null : new Ceiling(limits, this.#windows);
  }

  empty(): void {
    this.#windows = { reads: new Window(), writes: new Window() };
    this.hold(this.#held);
  }

  taken(second: number): readonly Taken[] {
    return BUDGETS.flatMap((budget) => takenFrom(this.#windows[budget], budget, second));
  }

  refill(budget: CeilingBudget, takenSecond: number, cost: number, second: number): void {
    this.#windows[budget].refill(takenSecond, cost, second);
  }
}

/** Every workspace a token or a ceiling names. */
export class Workspaces {
  readonly #workspaces = new Map<string, Workspace>();

  of(id: string): Workspace {
    let workspace = this.#workspaces.get(id);
    if (workspace === undefined) this.#workspaces.set(id, (workspace = new Workspace()));
    return workspace;
  }

  /** Ignored where a version as new is held. */
  put(workspace: ViewWorkspace): void {
    const known = this.of(workspace.id);
    if (workspace.version > (known.held?.version ?? -1)) known.hold(workspace);
  }

  ceilingOf(id: string): Ceiling | null {
    return this.#workspaces.get(id)?.ceiling ?? null;
  }

  empty(): void {
    for (const workspace of this.#workspaces.values()) workspace.empty();
  }

  /** Those of which anything was written. */
  get held(): ReadonlyMap<string, ViewWorkspace> {
    const held = [...this.#workspaces.values()].flatMap((workspace) => workspace.held ?? []);
    return new Map(held.map((workspace) => [workspace.id, workspace]));
  }
}
