import { isDeepStrictEqual } from 'node:util';
import type { UnlikeKey } from '../inspection.ts';

/** Where what is held by key is not what is expected. */
export function unlikeKeys<Kept>(
  held: ReadonlyMap<string, Kept>,
  expected: ReadonlyMap<string, Kept>,
): readonly UnlikeKey[] {
  const unlike: UnlikeKey[] = [];
  for (const [key, wanted] of expected) {
    const one = held.get(key);
    if (one === undefined) unlike.push({ key, what: 'missing' });
    else if (!isDeepStrictEqual(one, wanted)) unlike.push({ key, what: 'different' });
  }
  for (const key of held.keys()) if (!expected.has(key)) unlike.push({ key, what: 'unexpected' });
  return unlike;
}
