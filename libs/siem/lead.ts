import type { EventLog } from '../event-log/event-log.ts';
import { ownMetadata } from '../event-log/own-metadata.ts';
import { type HistoryPushed, PUSHES_PREFIX } from './events.ts';

type Checkpoint = HistoryPushed['data'];

export interface Lead {
  readonly checkpoint: Checkpoint;
  /** Of the stream. */
  readonly revision: number;
}

const MOST_DOUBLINGS = 6;

/**
 * How long a checkpoint may stand while there is more to push before its process is taken for dead. A receiver that is
 * down moves no checkpoint either: so each take-over that led to nothing doubles it, up to 64 times.
 */
export const patienceMs = ({ takeovers }: Checkpoint, atFirstMs: number): number =>
  atFirstMs * 2 ** Math.min(takeovers, MOST_DOUBLINGS);

/** Null: nobody ever led. @throws LogUnavailable */
export async function readLead(log: EventLog, name: string): Promise<Lead | null> {
  for await (const event of log.readStream(PUSHES_PREFIX + name, { direction: 'backwards', limit: 1 })) {
    return { checkpoint: event.data as Checkpoint, revision: event.revision };
  }
  return null;
}

/** @throws WrongExpectedRevision when another process leads now, and what an append throws */
export async function writeCheckpoint(
  log: EventLog,
  name: string,
  data: Checkpoint,
  expected: number | null,
): Promise<Lead> {
  const event = { id: crypto.randomUUID(), type: 'HistoryPushed', data, metadata: ownMetadata() };
  const { revision } = await log.append(PUSHES_PREFIX + name, expected ?? 'no-stream', [event]);
  return { checkpoint: data, revision };
}
