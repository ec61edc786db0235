import { type Fold, load } from '../event-log/decide-and-append.ts';
import type { EventLog, RecordedEvent } from '../event-log/event-log.ts';
import { eventTimeMs } from './event-time.ts';
import { type TokenEvent, tokenStream } from './events.ts';
import { evolve, noToken, type Token } from './token.ts';
import type { StandingToken } from './view-token.ts';

const fold: Fold<Token, TokenEvent> = { initialState: noToken, evolve };

/**
 * A token straight from the log, or null. With `atMs`: as it was at that instant, a pure function of the events up to
 * it (P10).
 */
export async function loadToken(log: EventLog, id: string, atMs?: number): Promise<StandingToken | null> {
  const until = atMs === undefined ? undefined : (event: RecordedEvent): boolean => eventTimeMs(event) <= atMs;
  const { state: token, revision } = await load(log, tokenStream(id), fold, until);
  if (token.status === 'none') return null;
  if (token.predecessor === null) return { token, revision, activated: true };
  const { state: predecessor } = await load(log, tokenStream(token.predecessor), fold, until);
  return { token, revision, activated: predecessor.status !== 'none' && predecessor.rotation?.successor === id };
}
