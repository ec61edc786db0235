import type { Position } from '../event-log/event-log.ts';
import { malformed, type Problem, unavailable } from '../problem/problem.ts';

/** How far a read model has got. */
export interface Freshness {
  /** Waits until the projection has applied everything up to the position. */
  waitFor(projection: string, position: Position, timeoutMs: number): Promise<'reached' | 'late' | 'beyond-head'>;
}

const WAIT_MS = 2_000;
const SHAPE = /^\d{1,15}$/;

/** Read-your-writes (DESIGN §5): a read that sends `X-Log-Position` back waits for its read model, 2 s at most. */
export async function awaitFreshness(
  freshness: Freshness,
  projection: string | undefined,
  logPosition: string,
): Promise<Problem | null> {
  if (!SHAPE.test(logPosition)) return malformed('X-Log-Position is none of ours.', 'x-log-position');
  if (projection === undefined) return null;
  const outcome = await freshness.waitFor(projection, Number(logPosition), WAIT_MS);
  switch (outcome) {
    case 'reached':
      return null;
    case 'late':
      return unavailable('The read model has not got that far yet.');
    case 'beyond-head':
      return malformed('X-Log-Position lies beyond the end of the log.', 'x-log-position');
    default:
      return unknownOutcome(outcome);
  }
}

function unknownOutcome(outcome: never): never {
  throw new Error(`unknown freshness ${String(outcome)}`);
}
