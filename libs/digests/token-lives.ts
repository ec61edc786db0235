import type { RecordedEvent } from '../event-log/event-log.ts';
import { eventTimeMs } from '../tokens/event-time.ts';
import { TOKEN_PREFIX, type TokenEvent } from '../tokens/events.ts';
import { evolve, type LiveToken, noToken, type RevokedToken, statusAt, type TokenStatus } from '../tokens/token.ts';

export type StandingToken = LiveToken | RevokedToken;

/** What an event did to a token. */
export interface LifeStep {
  readonly before: StandingToken | null;
  readonly after: StandingToken;
  readonly event: RecordedEvent & TokenEvent;
  readonly timeMs: number;
}

/** All tokens as they were at an instant, from the events of their lives. */
export class TokenLives {
  readonly #untilMs: number;
  readonly #tokens = new Map<string, StandingToken>();
  /** Made later; by another process's clock they may have called before. */
  readonly #later = new Map<string, StandingToken>();
  /** Streams of which an event lies beyond the instant: what follows in them does, too. */
  readonly #ended = new Set<string>();

  /** @param untilMs not included */
  constructor(untilMs: number) {
    this.#untilMs = untilMs;
  }

  /** Null: not of a token's life, or beyond the instant. */
  play(event: RecordedEvent): LifeStep | null {
    const { stream } = event;
    if (!stream.startsWith(TOKEN_PREFIX) || this.#ended.has(stream)) return null;
    const timeMs = eventTimeMs(event);
    const known = event as RecordedEvent & TokenEvent;
    const id = stream.slice(TOKEN_PREFIX.length);
    const before = this.#tokens.get(id) ?? null;
    const isBeyond = timeMs >= this.#untilMs;
    if (isBeyond) this.#ended.add(stream);
    if (isBeyond && before !== null) return null;
    const after = evolve(before ?? noToken, known);
    if (after.status === 'none') throw new Error(`${known.type} left no token`);
    (isBeyond ? this.#later : this.#tokens).set(id, after);
    return isBeyond ? null : { before, after, event: known, timeMs };
  }

  /** Null: none of the log. */
  known(id: string): StandingToken | null {
    return this.#tokens.get(id) ?? this.#later.get(id) ?? null;
  }

  /** Those of a workspace that there were at the instant, oldest first. */
  of(workspace: string): StandingToken[] {
    return [...this.#tokens.values()]
      .filter((token) => token.workspace === workspace)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** At the instant. */
  statusOf(token: StandingToken): TokenStatus {
    return statusAt(token, this.isActivated(token), this.#untilMs);
  }

  /** A successor lives from when its predecessor names it. */
  isActivated({ id, predecessor }: StandingToken): boolean {
    return predecessor === null || this.#tokens.get(predecessor)?.rotation?.successor === id;
  }
}
