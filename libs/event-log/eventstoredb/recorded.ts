import type { AllStreamResolvedEvent, ResolvedEvent } from '@eventstore/db-client';
import type { EventMetadata, RecordedEvent } from '../event-log.ts';

export type Resolved = AllStreamResolvedEvent | ResolvedEvent;

/** The stream whose first event names this log. Bookkeeping, like the server's own `$…` streams. */
export const LOG_NAME_STREAM = 'writ-log';

/** Positions are the commit position alone: appends through this client have the same prepare position. */
export function toRecorded({ event }: Resolved): RecordedEvent {
  if (event?.position === undefined) throw new Error('the server gave an event without its position');
  const position = Number(event.position.commit);
  if (!Number.isSafeInteger(position)) throw new Error(`position ${event.position.commit} is no safe integer`);
  return {
    id: event.id,
    type: event.type,
    data: event.data,
    metadata: event.metadata as unknown as EventMetadata,
    stream: event.streamId,
    revision: Number(event.revision),
    position,
    recordedAt: event.created.getTime(),
  };
}

/**
 * Whether a reader of these prefixes gets this event; of none: all but bookkeeping. Never what the server wrote itself:
 * a tombstone's `$streamDeleted` stands under the very name of the stream it ends.
 */
export function isOurs({ stream, type }: RecordedEvent, prefixes: readonly string[] | undefined): boolean {
  if (type.startsWith('$')) return false;
  return (
    prefixes?.some((prefix) => stream.startsWith(prefix)) ?? !(stream.startsWith('$') || stream === LOG_NAME_STREAM)
  );
}
