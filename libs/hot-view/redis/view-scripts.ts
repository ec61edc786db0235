import { ViewUnavailable } from '../hot-view.ts';
import type { Argument, Connection, Script } from './connection.ts';

/** What every script of a partition is told first. */
export type StandingArgs = readonly [runId: string, offsetMs: number, staleMs: number];

/** Runs the view's scripts, and turns whatever goes wrong into `ViewUnavailable`. */
export class ViewScripts {
  readonly #connection: Connection;
  readonly #offsetMs: () => number;
  readonly #staleMs: number;

  constructor(connection: Connection, offsetMs: () => number, staleMs: number) {
    this.#connection = connection;
    this.#offsetMs = offsetMs;
    this.#staleMs = staleMs;
  }

  get offsetMs(): number {
    return this.#offsetMs();
  }

  standingArgs(): StandingArgs {
    return [this.#connection.runId ?? '', this.#offsetMs(), this.#staleMs];
  }

  /** @throws ViewUnavailable: it may have run or not */
  async run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    // Without a known run nothing may be asked: no answer could be trusted.
    if (this.#connection.runId === null) throw new ViewUnavailable(this.#connection.reason);
    try {
      return await this.#connection.run(script, keys, args);
    } catch (error) {
      throw new ViewUnavailable('the hot view did not answer', { cause: error });
    }
  }
}
