import type { Actor } from '../person/actor.ts';
import type { Face } from '../usage/use.ts';
import type { CallsTold } from './calls-told.ts';
import type { Calls, ChangeMade } from './digest.ts';
import { KnownAddresses } from './known-addresses.ts';

export type MutableCalls = { -readonly [Key in keyof Calls]: number };

export interface TokenTally extends MutableCalls {
  throttled: number;
  lastMs: number;
  /** Scopes its calls asked for. */
  readonly needed: Set<string>;
}

export interface ChangeTold {
  readonly token: string;
  readonly at: string;
  readonly by: Actor | null;
  readonly made: ChangeMade;
}

export interface AddressTold {
  readonly token: string;
  readonly address: string;
  readonly atMs: number;
  readonly operation: string;
  readonly decision: 'allowed' | 'refused';
}

/** No list of a digest is longer: more of them are only counted. */
export const MOST_ROWS = 500;

/** What is counted of one workspace in one period; as large as its tokens, operations and routines are many. */
export class WorkspaceTally {
  readonly calls = noCalls();
  throttled = 0;
  late = 0;
  readonly timeline: readonly MutableCalls[];
  readonly faces = new Map<Face, MutableCalls>();
  readonly reasons = new Map<string, number>();
  readonly operations = new Map<string, MutableCalls>();
  readonly routines = new Map<string, MutableCalls>();
  readonly tokens = new Map<string, TokenTally>();
  /** The first of each kind. */
  readonly changes: ChangeTold[] = [];
  readonly changesByKind = new Map<ChangeMade['change'], number>();
  /** The first. */
  readonly addresses: AddressTold[] = [];
  addressesSeen = 0;
  readonly known = new KnownAddresses();

  constructor(buckets: number) {
    this.timeline = Array.from({ length: buckets }, noCalls);
  }

  /** @param needed the scope the operation asks for; null: none, or not known */
  count(told: CallsTold, bucket: number, needed: string | null): void {
    const { token, face, operation, outcome, reason, count, routine, timeMs } = told;
    const of = this.#ofToken(token, timeMs);
    const all = [
      this.calls,
      this.timeline[bucket],
      entryOf(this.faces, face),
      entryOf(this.operations, operation),
      routine === null ? undefined : entryOf(this.routines, routine),
      of,
    ];
    for (const calls of all) if (calls !== undefined) calls[outcome] += count;
    if (outcome !== 'denied') {
      if (needed !== null) of.needed.add(needed);
      return;
    }
    this.reasons.set(reason ?? '', (this.reasons.get(reason ?? '') ?? 0) + count);
    if (reason !== 'throttled') return;
    this.throttled += count;
    of.throttled += count;
  }

  addChange(change: ChangeTold): void {
    const { change: kind } = change.made;
    const before = this.changesByKind.get(kind) ?? 0;
    this.changesByKind.set(kind, before + 1);
    if (before < MOST_ROWS) this.changes.push(change);
  }

  addAddress(address: AddressTold): void {
    this.addressesSeen++;
    if (this.addresses.length < MOST_ROWS) this.addresses.push(address);
  }

  #ofToken(id: string, timeMs: number): TokenTally {
    let tally = this.tokens.get(id);
    if (tally === undefined) {
      this.tokens.set(id, (tally = { ...noCalls(), throttled: 0, lastMs: timeMs, needed: new Set() }));
    }
    tally.lastMs = Math.max(tally.lastMs, timeMs);
    return tally;
  }
}

export function noCalls(): MutableCalls {
  return { allowed: 0, failed: 0, denied: 0 };
}

function entryOf<Key>(map: Map<Key, MutableCalls>, key: Key): MutableCalls {
  let calls = map.get(key);
  if (calls === undefined) map.set(key, (calls = noCalls()));
  return calls;
}
