import canonicalize from 'canonicalize';
import type { RecordedEvent } from '../event-log/event-log.ts';

/**
 * A stored event as one line of text, the same whichever adapter stored it: JSON in canonical form (RFC 8785) of
 * stream, revision, id, type, time (RFC 3339, milliseconds), data and metadata. It is what a leaf hashes, and a line
 * of an export. The position is the adapter's own, and not in it.
 */
export function canonicalEvent({ stream, revision, id, type, recordedAt, data, metadata }: RecordedEvent): string {
  return canonicalJson({ stream, revision, id, type, time: new Date(recordedAt).toISOString(), data, metadata });
}

/** RFC 8785. Values are as JSON.parse gives them. */
export function canonicalJson(value: unknown): string {
  const sorted = inOrder(value);
  if (sorted === NOT_ORDERABLE) {
    const text = canonicalize(value);
    if (text === undefined) throw new TypeError('the value has no JSON');
    return text;
  }
  return JSON.stringify(sorted);
}

const NOT_ORDERABLE = Symbol('NotOrderable');

/** A copy with every object's members in order, for JSON.stringify, which writes texts and numbers as RFC 8785 wants them. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) {
      const ordered = inOrder(item);
      if (ordered === NOT_ORDERABLE) return NOT_ORDERABLE;
      items.push(ordered);
    }
    return items;
  }
  const names = inOrderOf(Object.keys(value));
  if (names === NOT_ORDERABLE) return NOT_ORDERABLE;
  const members: Record<string, unknown> = {};
  for (const name of names) {
    const ordered = inOrder((value as Record<string, unknown>)[name]);
    if (ordered === NOT_ORDERABLE) return NOT_ORDERABLE;
    members[name] = ordered;
  }
  return members;
}

interface Shape {
  readonly names: readonly string[];
  readonly ordered: readonly string[] | typeof NOT_ORDERABLE;
}

/** By how many names there are. Events are of few shapes; but what people send may be of any, so it is bounded. */
const shapes = new Map<number, Shape[]>();
const MOST_SHAPES_OF_A_LENGTH = 50;

/** An object's names in order, as found before where it is of a shape that was met. */
function inOrderOf(names: readonly string[]): Shape['ordered'] {
  const alike = shapes.get(names.length) ?? [];
  for (const shape of alike) if (shape.names.every((name, at) => name === names[at])) return shape.ordered;
  const ordered = names.some(isPutFirst) ? NOT_ORDERABLE : names.toSorted();
  if (alike.length < MOST_SHAPES_OF_A_LENGTH) shapes.set(names.length, [...alike, { names, ordered }]);
  return ordered;
}

/** Objects put names like an index first, and `__proto__` makes no member at all. */
function isPutFirst(name: string): boolean {
  const first = name.charCodeAt(0);
  return (first >= 0x30 && first <= 0x39) || name === '__proto__';
}
