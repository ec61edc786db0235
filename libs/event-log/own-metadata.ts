import { newId } from '../ids/new-id.ts';
import type { EventMetadata } from './event-log.ts';

/** Metadata of an event that no caller asked for: its own correlation. */
export function ownMetadata(): EventMetadata {
  const id = newId();
  return { $correlationId: id, $causationId: id, schema: 1 };
}
