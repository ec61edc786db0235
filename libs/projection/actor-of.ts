import type { RecordedEvent } from '../event-log/event-log.ts';
import type { Actor } from '../person/actor.ts';

/** Who did it; an event that names nobody cannot be shown, so its stream is parked. */
export function actorOf(event: RecordedEvent): Actor {
  const actor = event.metadata['actor'] as Actor | undefined;
  if (actor === undefined) throw new Error('the event names no actor');
  return actor;
}
