import type { Position, RecordedEvent } from '../event-log/event-log.ts';
import { type EventRecord, recordOf } from '../transparency/event-record.ts';
import { isHousekeeping } from '../transparency/housekeeping.ts';
import { PUSHES_PREFIX } from './events.ts';

const BATCH_RECORDS = 256;
const BATCH_CHARACTERS = 256 * 1024;

export interface Batch {
  readonly records: readonly EventRecord[];
  readonly upTo: Position;
  /** Nothing else is in it (libs/transparency/housekeeping.ts). */
  readonly housekeeping: boolean;
}

/** Bounded in number and size; how far the pushing itself has come is not pushed. */
export function* batchesOf(events: readonly RecordedEvent[]): Generator<Batch> {
  let records: EventRecord[] = [];
  let characters = 0;
  let upTo: Position | null = null;
  let housekeeping = true;
  for (const event of events) {
    if (event.stream.startsWith(PUSHES_PREFIX)) continue;
    housekeeping &&= isHousekeeping(event.stream);
    records.push(recordOf(event));
    characters += JSON.stringify(event.data).length;
    upTo = event.position;
    if (records.length < BATCH_RECORDS && characters < BATCH_CHARACTERS) continue;
    yield { records, upTo, housekeeping };
    records = [];
    characters = 0;
    housekeeping = true;
  }
  if (records.length > 0 && upTo !== null) yield { records, upTo, housekeeping };
}
