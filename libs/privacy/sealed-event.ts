import type { EventMetadata, NewEvent, RecordedEvent } from '../event-log/event-log.ts';
import { ERASED } from './erased.ts';
import { type Found, stepsOf } from './personal-data.ts';
import type { PersonKey, SealedValues } from './person-key.ts';

/** The key of a person; null: they are erased, or it is lost. */
export type KeyOf = (person: string) => PersonKey | null;

type Parts = Pick<NewEvent, 'data' | 'metadata'>;

/**
 * The event with its personal values taken out, and a box for each person in `sealed` of its metadata. Of the erased there
 * is nothing to keep.
 */
export function sealEvent(event: NewEvent, found: readonly Found[], keyOf: KeyOf): NewEvent {
  if (found.length === 0) return event;
  const changed = new Changed(event);
  const sealed: SealedValues[] = [];
  for (const [person, values] of byPerson(found)) {
    const key = keyOf(person);
    for (const { at } of values) changed.put(at, key === null ? ERASED : null);
    if (key === null) continue;
    const box = key.seal(values.map(({ value }) => value));
    sealed.push({ person, key: key.id, at: values.map(({ at }) => at), ...box });
  }
  const { data, metadata } = changed.parts;
  return { ...event, data, metadata: sealed.length === 0 ? metadata : { ...metadata, sealed } };
}

/** What was sealed in an event, as it is stored. */
export const sealedIn = ({ metadata }: Pick<RecordedEvent, 'metadata'>): readonly SealedValues[] =>
  (metadata['sealed'] as readonly SealedValues[] | undefined) ?? [];

/** The event as it was appended, but for what nobody can open any more. */
export function openEvent(event: RecordedEvent, keyOf: KeyOf): RecordedEvent {
  const sealed = sealedIn(event);
  if (sealed.length === 0) return event;
  const changed = new Changed(event);
  for (const { person, key: name, at, ...box } of sealed) {
    const key = keyOf(person);
    const values = key?.id === name ? key.open(box) : null;
    at.forEach((place, index) => changed.put(place, values?.[index] ?? ERASED));
  }
  const { data, metadata } = changed.parts;
  const { sealed: _opened, ...rest } = metadata;
  return { ...event, data, metadata: rest as EventMetadata };
}

function byPerson(found: readonly Found[]): ReadonlyMap<string, readonly Found[]> {
  const people = new Map<string, Found[]>();
  for (const each of found) {
    const values = people.get(each.person);
    if (values === undefined) people.set(each.person, [each]);
    else values.push(each);
  }
  return people;
}

/** Data and metadata with some values changed; what is around them is copied once, the rest shared. */
class Changed {
  readonly parts: Parts;
  readonly #own = new Set<object>();

  constructor({ data, metadata }: Parts) {
    this.parts = { data, metadata };
    this.#own.add(this.parts);
  }

  put(path: string, value: string | null): void {
    let within = this.parts as unknown as Record<string, unknown>;
    const steps = stepsOf(path);
    for (const step of steps.slice(0, -1)) {
      let next = within[step];
      if (typeof next !== 'object' || next === null) return;
      if (!this.#own.has(next)) {
        next = Array.isArray(next) ? [...(next as unknown[])] : { ...next };
        this.#own.add(next as object);
        within[step] = next;
      }
      within = next as Record<string, unknown>;
    }
    within[steps.at(-1)!] = value;
  }
}
