import { encodeTime } from 'ulid';

const TIME_LENGTH = 10;

/**
 * The id of a slot's run: a ULID of the slot's time and the routine's own random part. Each slot of a routine has one
 * stream, whoever reckons it, and that is its claim: two runners append to the same one, expecting none.
 */
export const slotRunId = (routine: string, slotMs: number): string =>
  encodeTime(slotMs, TIME_LENGTH) + routine.slice(TIME_LENGTH);
