import { encodeTime } from 'ulid';
import { newId } from '../ids/new-id.ts';

const TIME_LENGTH = 10;

/** A fresh id: a ULID, 26 characters of Crockford base 32 (github.com/ulid/spec). */
export const newTokenId = (nowMs: number): string => newId(nowMs);

/**
 * The part every id of a lineage shares: a ULID's 80 random bits. A successor gets a new time and keeps these, so the
 * partition and the windows of a lineage are known from any of its tokens (docs/decisions/0003).
 */
export const lineageKey = (id: string): string => id.slice(TIME_LENGTH);

/** A successor's id: later than its predecessor's, same lineage. */
export function successorId(predecessor: string, nowMs: number): string {
  let time = encodeTime(nowMs, TIME_LENGTH);
  const before = predecessor.slice(0, TIME_LENGTH);
  if (time <= before) time = encodeTime(timeOf(before) + 1, TIME_LENGTH);
  return time + lineageKey(predecessor);
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function timeOf(encoded: string): number {
  let ms = 0;
  for (const character of encoded) ms = ms * 32 + CROCKFORD.indexOf(character);
  return ms;
}

const SHAPE = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

export const isTokenId = (text: string): boolean => SHAPE.test(text);
