import type { EventLog } from '../../libs/event-log/event-log.ts';
import { type TokenUse, useOf } from '../../libs/usage/use.ts';
import { itemsOf, type TokenItem } from './items.ts';

/** Where an event lies in the log. */
export interface Place {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
}

/** `12@345 `: appended one to the other, they are the list of a block. */
export const encodePlace = (revision: number, position: number): string => `${revision}@${position} `;

export const decodePlaces = ({ stream, places }: { readonly stream: string; readonly places: string }): Place[] =>
  places
    .trimEnd()
    .split(' ')
    .map((place) => {
      const [revision, position] = place.split('@').map(Number);
      return { stream, revision: revision!, position: position! };
    });

/** Events of one stream that lie this near are read with what is between them: one read for many. */
const NEAR = 16;
/** Longest such read. */
const LONGEST_RUN = 500;

/** What the events at these places say, in the log's order. */
export async function readPlaces(log: EventLog, places: readonly Place[]): Promise<TokenItem[]> {
  const wanted = new Set(places.map(({ position }) => position));
  const items = await Promise.all(
    runsOf(places).map(({ stream, first, last }) => readStretch(log, stream, first, last)),
  );
  return items
    .flat()
    .filter(({ position }) => wanted.has(position))
    .sort((a, b) => a.position - b.position);
}

/**
 * What the events of a stream say, from one revision to another, both included. A write of several events carries its
 * use in each of them: only the first is one.
 */
export async function readStretch(log: EventLog, stream: string, first: number, last: number): Promise<TokenItem[]> {
  const from = Math.max(0, first - 1);
  const items: TokenItem[] = [];
  let before: TokenUse | null = null;
  for await (const event of log.readStream(stream, { from, limit: last - from + 1 })) {
    const use = useOf(event);
    const repeats = event.type !== 'TokenUsed' && use !== null && before !== null && isSameUse(use, before);
    if (event.revision >= first) items.push(...itemsOf(event).filter(({ part }) => part === 'life' || !repeats));
    before = use;
  }
  return items;
}

const isSameUse = (a: TokenUse, b: TokenUse): boolean =>
  a.request_id === b.request_id && a.operation === b.operation && a.resource === b.resource && a.time === b.time;

interface Run {
  readonly stream: string;
  readonly first: number;
  last: number;
}

function runsOf(places: readonly Place[]): Run[] {
  const runs: Run[] = [];
  for (const { stream, revision } of places.toSorted(byStreamAndRevision)) {
    const run = runs.at(-1);
    const near = run?.stream === stream && revision - run.last <= NEAR && revision - run.first < LONGEST_RUN;
    if (near) run.last = revision;
    else runs.push({ stream, first: revision, last: revision });
  }
  return runs;
}

const byStreamAndRevision = (a: Place, b: Place): number =>
  a.stream === b.stream ? a.revision - b.revision : a.stream < b.stream ? -1 : 1;
