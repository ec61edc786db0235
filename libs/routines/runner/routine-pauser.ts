import { decideAndAppend } from '../../event-log/decide-and-append.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import type { HotView, ViewToken } from '../../hot-view/hot-view.ts';
import { routineDecider } from '../decide.ts';
import { type PauseReason, routineStream } from '../events.ts';
import { deathOf, newestOf } from '../live-token.ts';
import { contextOf } from './run-worker.ts';

const MOST_REMEMBERED = 10_000;

/** Pauses routines that cannot go on, visibly: with the reason, in their own stream. */
export class RoutinePauser {
  /** The newest token seen of a lineage, so that a long one is not walked again and again. */
  readonly #newest = new Map<string, string>();

  constructor(
    private readonly log: EventLog,
    private readonly view: HotView,
    private readonly clock: () => number,
  ) {}

  /** The token a routine runs under; null where the view does not tell. */
  async newest(lineage: string): Promise<ViewToken | null> {
    const token = await newestOf(this.view, this.#newest.get(lineage) ?? lineage);
    if (this.#newest.size >= MOST_REMEMBERED) this.#newest.clear();
    if (token !== null) this.#newest.set(lineage, token.id);
    return token;
  }

  /** Pauses the routine when the token it runs under is dead; true: it is. */
  async pauseIfDead({ id, lineage }: { readonly id: string; readonly lineage: string }): Promise<boolean> {
    const under = await this.newest(lineage);
    const death = under === null ? null : deathOf(under, this.clock());
    if (under === null || death === null) return false;
    await this.pause(id, death, under);
    return true;
  }

  async pause(id: string, reason: PauseReason, under: Parameters<typeof contextOf>[1]): Promise<void> {
    const at = new Date(this.clock()).toISOString();
    const command = { type: 'PauseRoutine', reason, note: null, under: under.id, at } as const;
    await decideAndAppend(this.log, routineStream(id), routineDecider, command, contextOf(id, under));
  }
}
