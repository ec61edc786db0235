import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { QueryBus } from '@nestjs/cqrs';
import type { EventLog, Position } from '../../event-log/event-log.ts';
import type { Freshness } from '../../gate/freshness.ts';
import { TOKEN_PREFIX } from '../../tokens/events.ts';
import { loadToken } from '../../tokens/load-token.ts';
import { lineageKey } from '../../tokens/token-id.ts';
import { ActiveRoutines } from '../queries.ts';
import type { RoutinePauser } from './routine-pauser.ts';

const SWEEP_MS = 60_000;
const RETRY_MS = 1_000;
const WAIT_MS = 2_000;
const PAGE = 100;

export interface TokenWatchParts {
  readonly log: EventLog;
  readonly freshness: Freshness;
  /** Unix ms. */
  readonly clock: () => number;
  readonly queries: QueryBus;
  readonly pauser: RoutinePauser;
}

/** What happens to a token is soon seen on the routines under it (P2). That none of their steps passes is the gate's. */
export class TokenWatch {
  readonly #parts: TokenWatchParts;
  readonly #logger = new Logger(TokenWatch.name);
  #sweptMs = -Infinity;

  constructor(parts: TokenWatchParts) {
    this.#parts = parts;
  }

  /** Expiry is no event, and a process that was down heard of none: each active routine's token is looked at, at times. */
  async sweepNowAndThen(): Promise<void> {
    const nowMs = this.#parts.clock();
    if (Math.abs(nowMs - this.#sweptMs) < SWEEP_MS) return;
    this.#sweptMs = nowMs;
    for await (const routine of this.#active(null)) await this.#parts.pauser.pauseIfDead(routine);
  }

  /** Ends when the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    let after: Position | null | undefined;
    while (!signal.aborted) {
      try {
        if (after === undefined) after = await log.head();
        for await (const message of log.subscribe({ after, streamPrefixes: [TOKEN_PREFIX], signal })) {
          if (message.kind !== 'events') continue;
          for (const { type, stream, position } of message.events) {
            const dies = type === 'TokenRevoked' || type === 'TokenSuspended';
            if (dies) await this.#died(stream.slice(TOKEN_PREFIX.length), position);
            after = position;
          }
        }
      } catch (error) {
        if (!signal.aborted) this.#logger.warn({ err: error }, 'routines do not hear of tokens for now');
      }
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Asks the log itself: the view may learn of it a moment later. */
  async #died(id: string, position: Position): Promise<void> {
    const { log, freshness, pauser } = this.#parts;
    const token = (await loadToken(log, id))?.token;
    // Routines follow a rotated token to its successor.
    if (token === undefined || token.status === 'active' || token.rotation !== null) return;
    await freshness.waitFor('routines', position, WAIT_MS);
    const reason = token.status === 'revoked' ? 'token_revoked' : 'token_suspended';
    for await (const routine of this.#active(lineageKey(id))) await pauser.pause(routine.id, reason, token);
  }

  async *#active(key: string | null): AsyncGenerator<{ readonly id: string; readonly lineage: string }> {
    let after: string | null = null;
    do {
      const request: ActiveRoutines['request'] = { lineageKey: key, after, limit: PAGE };
      const page = await this.#parts.queries.execute(new ActiveRoutines(request));
      yield* page;
      after = page.length === PAGE ? (page.at(-1)?.id ?? null) : null;
    } while (after !== null);
  }
}
