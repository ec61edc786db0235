import {
  type EventLog,
  type LogReader,
  type Position,
  type RecordedEvent,
  WrongExpectedRevision,
} from '../event-log/event-log.ts';
import {
  type CountedIn,
  countedUnder,
  EventsOfToken,
  type JournalOpened,
  JOURNALS_STREAM,
  Tallies,
  UsesOfToken,
  type UsesTallied,
} from '../proof/tally.ts';
import { usesTallied } from './journal-segment.ts';
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

/** What a journal that is not closed has not tallied. */
interface Untallied {
  readonly journal: string;
  /** Its newest event; null: it has none. */
  readonly head: number | null;
  /** Revision of the first event after its last tally. */
  readonly from: number;
  /** The uses in it, oldest first. */
  readonly uses: readonly RecordedEvent[];
  /** Periods up to this one are tallied: what calls wrote in later ones lies after the position. */
  readonly through: number;
  readonly writtenAfter: Position;
  /** When it last showed a sign of life, Unix ms. */
  newestMs: number;
  /** What calls wrote, the first of it, and its last period. */
  readonly written: Tallies;
  writtenFirstMs: number | null;
  lastPeriod: number;
}

/**
 * Tallies, for the last time, what a killed process left: what is in its journal, and what calls wrote that name it. A
 * journal counts as abandoned when the newest of both is older than an instant; should its process live after all, it
 * finds its stream moved on and begins another.
 * @param beforeMs the instant, Unix ms
 */
export async function closeAbandonedJournals(log: EventLog, beforeMs: number): Promise<void> {
  // Nothing is read that would have to be opened.
  const stored = log.stored ?? log;
  const abandoned = new Map<string, Untallied>();
  for await (const opened of stored.readStream(JOURNALS_STREAM)) {
    const untallied = await readUntallied(stored, opened);
    if (untallied !== null && untallied.newestMs < beforeMs) abandoned.set(untallied.journal, untallied);
  }
  if (abandoned.size === 0) return;
  await readWritten(stored, abandoned);
  for (const untallied of abandoned.values()) if (untallied.newestMs < beforeMs) await close(log, untallied);
}

async function close(log: EventLog, untallied: Untallied): Promise<void> {
  const { journal, head, from, uses, written, writtenFirstMs, lastPeriod } = untallied;
  const inJournal = new Tallies(UsesOfToken);
  for (const { id, data } of uses) inJournal.add((data as TokenUsed['data']).token, id);
  const at = new Date();
  const firsts = uses.slice(0, 1).map(({ data }) => Date.parse((data as TokenUsed['data']).time));
  const tally = usesTallied({
    from_revision: from,
    since: new Date(Math.min(at.getTime(), writtenFirstMs ?? Infinity, ...firsts)).toISOString(),
    tokens: inJournal.tally(),
    written: { through: lastPeriod, tokens: written.tally() },
    last: true,
    at: at.toISOString(),
  });
  await log.append(journal, head ?? 'no-stream', [tally]).catch((error: unknown) => {
    if (!(error instanceof WrongExpectedRevision)) throw error;
  });
}

/** Null: it is closed. */
async function readUntallied(log: LogReader, opened: RecordedEvent): Promise<Untallied | null> {
  const { journal } = opened.data as JournalOpened['data'];
  let head: RecordedEvent | null = null;
  let lastTally: RecordedEvent | null = null;
  let through: number | undefined;
  let writtenAfter = opened.position;
  const uses: RecordedEvent[] = [];
  for await (const event of log.readStream(journal, { direction: 'backwards' })) {
    head ??= event;
    if (event.type === 'UsesTallied') {
      const { last, written } = event.data as UsesTallied['data'];
      if (last) return null;
      if (lastTally !== null && written !== undefined && written.through < through! - 1) {
        // The period after `through` began once the one before it was tallied, and this is an earlier tally.
        writtenAfter = event.position;
        break;
      }
      lastTally ??= event;
      through ??= written?.through;
      // From before there was anything to count beside its uses.
      if (through === undefined) break;
    } else if (event.type === 'TokenUsed' && lastTally === null) uses.push(event);
  }
  return {
    journal,
    head: head?.revision ?? null,
    from: lastTally === null ? 0 : lastTally.revision + 1,
    uses: uses.toReversed(),
    through: through ?? -1,
    writtenAfter: lastTally !== null && through === undefined ? lastTally.position : writtenAfter,
    newestMs: head?.recordedAt ?? opened.recordedAt,
    written: new Tallies(EventsOfToken),
    writtenFirstMs: null,
    lastPeriod: through ?? -1,
  };
}

/** In one pass for all of them. */
async function readWritten(log: LogReader, abandoned: ReadonlyMap<string, Untallied>): Promise<void> {
  const after = Math.min(...[...abandoned.values()].map(({ writtenAfter }) => writtenAfter));
  for await (const { stream, id, metadata, recordedAt } of log.readAll({ after })) {
    const counted = metadata['counted_in'] as CountedIn | undefined;
    const untallied = counted && abandoned.get(counted.journal);
    if (counted === undefined || untallied === undefined || counted.period <= untallied.through) continue;
    for (const token of countedUnder(stream, metadata)) untallied.written.add(token, id);
    untallied.newestMs = Math.max(untallied.newestMs, recordedAt);
    untallied.writtenFirstMs ??= recordedAt;
    untallied.lastPeriod = Math.max(untallied.lastPeriod, counted.period);
  }
}
