import type { RecordedEvent } from '../event-log/event-log.ts';

/** When an event happened, by what it says itself. */
export const eventTimeMs = (event: RecordedEvent): number => Date.parse((event.data as { readonly at: string }).at);
