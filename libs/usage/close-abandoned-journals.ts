import { type EventLog, type RecordedEvent, WrongExpectedRevision } from '../event-log/event-log.ts';
import { type JournalOpened, JOURNALS_STREAM, UsesOfToken, type UsesTallied } from '../proof/tally.ts';
import { talliesOf, usesTallied } from './journal-segment.ts';
import type { TokenUsed } from './use.ts';

/** A process that has been idle for longer is taken for dead; where it is not, it begins another journal. */
const PATIENCE_MS = 10 * 60_000;
const LOOK_EVERY_MS = 60 * 60_000;

/**
 * Closes abandoned journals now, and every hour where other processes may die beside this one.
 * @param alone no other process writes to this log: whatever is open now was left by one that is gone
 */
export function keepJournalsClosed(log: EventLog, alone: boolean, onFault: (error: Error) => void) {
  const look = (patienceMs: number): Promise<void> =>
    closeAbandonedJournals(log, Date.now() - patienceMs).catch((error: unknown) => onFault(error as Error));
  let looking = look(alone ? 0 : PATIENCE_MS);
  const timer = alone ? undefined : setInterval(() => (looking = look(PATIENCE_MS)), LOOK_EVERY_MS).unref();
  return {
    async stop(): Promise<void> {
      clearInterval(timer);
      await looking;
    },
  };
}

/**
 * Tallies, for the last time, what a killed process left in its journal. A journal counts as abandoned when its newest
 * event is older than an instant; should its process live after all, it finds its stream moved on and begins another.
 * @param beforeMs the instant, Unix ms
 */
export async function closeAbandonedJournals(log: EventLog, beforeMs: number): Promise<void> {
  const journals: string[] = [];
  for await (const { data } of log.readStream(JOURNALS_STREAM)) journals.push((data as JournalOpened['data']).journal);
  for (const journal of journals) {
    const untallied = await readUntallied(log, journal, beforeMs);
    if (untallied === null) continue;
    const { head, from, uses } = untallied;
    const at = new Date().toISOString();
    const [first] = uses;
    const tally = usesTallied({
      from_revision: from,
      since: first === undefined ? at : (first.data as TokenUsed['data']).time,
      tokens: talliesOf(usesByToken(uses)),
      last: true,
      at,
    });
    await log.append(journal, head, [tally]).catch((error: unknown) => {
      if (!(error instanceof WrongExpectedRevision)) throw error;
    });
  }
}

/** The uses since the journal's last tally, oldest first; null: it is closed, or perhaps still written to. */
async function readUntallied(
  log: EventLog,
  journal: string,
  beforeMs: number,
): Promise<{ readonly head: number; readonly from: number; readonly uses: readonly RecordedEvent[] } | null> {
  let head: number | null = null;
  let from = 0;
  const uses: RecordedEvent[] = [];
  for await (const event of log.readStream(journal, { direction: 'backwards' })) {
    if (head === null) {
      if (event.recordedAt >= beforeMs) return null;
      if (event.type === 'UsesTallied' && (event.data as UsesTallied['data']).last) return null;
      head = event.revision;
    }
    if (event.type === 'UsesTallied') {
      from = event.revision + 1;
      break;
    }
    if (event.type === 'TokenUsed') uses.push(event);
  }
  return head === null ? null : { head, from, uses: uses.toReversed() };
}

function usesByToken(events: readonly RecordedEvent[]): ReadonlyMap<string, UsesOfToken> {
  const byToken = new Map<string, UsesOfToken>();
  for (const { id, data } of events) {
    const { token } = data as TokenUsed['data'];
    let uses = byToken.get(token);
    if (uses === undefined) byToken.set(token, (uses = new UsesOfToken()));
    uses.add(id);
  }
  return byToken;
}
