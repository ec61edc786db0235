import { randomUUID } from 'node:crypto';
import type { EventLog } from '../event-log/event-log.ts';
import { ownMetadata } from '../event-log/own-metadata.ts';
import type { Actor } from '../person/actor.ts';
import type { MaintainedView } from '../projection/maintained-view.ts';
import type { PersonKeys } from './person-keys.ts';

/** Before a key is destroyed, in a stream of them all: what a store restored from a back-up is held against. */
export interface PersonErasureOrdered {
  readonly type: 'PersonErasureOrdered';
  readonly data: { readonly person: string; readonly workspace: string; readonly at: string };
}

export const ERASURES_STREAM = 'erasures';

/** Orders it, for good: from here on every start sees to it that the key is gone. */
export async function orderErasure(log: EventLog, data: PersonErasureOrdered['data'], actor: Actor): Promise<void> {
  const metadata = { ...ownMetadata(), actor };
  await log.append(ERASURES_STREAM, 'any', [{ id: randomUUID(), type: 'PersonErasureOrdered', data, metadata }]);
}

/**
 * Destroys every key that was ordered to be destroyed: one that a crash left, or a restored back-up of the store brought
 * back. Before anything is read with it.
 */
export async function carryOutErasures(log: EventLog, keys: PersonKeys): Promise<void> {
  for await (const { data } of log.readStream(ERASURES_STREAM))
    await keys.erase((data as PersonErasureOrdered['data']).person);
}

/** Has every view built anew that may hold what was erased, unless that was asked already. Answers their names. */
export async function rebuildWithoutErased(
  views: readonly MaintainedView[],
  keys: PersonKeys,
  persons: readonly string[],
): Promise<readonly string[]> {
  const holding = views.filter(({ readsStored }) => !readsStored);
  for (const view of holding) {
    const obstacle = await view.rebuild(true);
    if (obstacle !== null) throw new Error(`${view.name} cannot be rebuilt: ${obstacle}`);
  }
  await keys.settle(persons);
  return holding.map(({ name }) => name);
}
