import type { Kysely } from 'kysely';
import type { Position } from '../event-log/event-log.ts';
import type { Build } from './build.ts';
import { readBuilds, readParked } from './builds.ts';
import type { Progress, Verification, ViewStatus } from './maintained-view.ts';
import type { ReadModel } from './projection.ts';

/** What the builds say of a projection, and what only this process knows of it. */
export async function statusOf(
  db: Kysely<unknown>,
  { name, version }: ReadModel,
  known: Pick<ViewStatus, 'head' | 'leading' | 'fault'>,
): Promise<ViewStatus> {
  const builds = await readBuilds(db, name);
  const ofRole = (role: Build['role']): Build | undefined => builds.find((build) => build.role === role);
  const serving = ofRole('serving');
  const building = ofRole('building');
  const parkedIn = async (build: Build | undefined) => (build === undefined ? [] : await readParked(db, build.build));
  return {
    name,
    version,
    serving_version: serving?.version ?? version,
    position: serving?.position ?? null,
    ...known,
    parked: await parkedIn(serving),
    rebuild: building === undefined ? null : progressOf(building, known.head, (await parkedIn(building)).length),
    verification: verificationOf(ofRole('scratch'), ofRole('verified'), known.head),
  };
}

function verificationOf(
  scratch: Build | undefined,
  verified: Build | undefined,
  head: Position | null,
): Verification | null {
  if (scratch !== undefined) return { state: 'running', progress: progressOf(scratch, head, 0) };
  const outcome = verified?.outcome ?? null;
  if (outcome === null) return null;
  const same = outcome.difference === null && outcome.tables.every((table) => table.same);
  return { state: same ? 'same' : 'different', at: verified?.ended_at ?? '', ...outcome };
}

/** By positions, since nobody counts a log's events: they grow evenly enough for a share and a time. */
export function progressOf(build: Build, head: Position | null, parked: number): Progress {
  const { version, paused, events, active_ms: activeMs, position } = build;
  const share = head === null || position === null ? 0 : Math.min(1, position / head);
  return {
    version,
    state: paused ? 'stopped' : 'running',
    events,
    events_per_second: activeMs === 0 ? 0 : Math.round((events / activeMs) * 1000),
    position,
    head,
    share: Math.round(share * 10_000) / 10_000,
    seconds_left: share === 0 ? null : Math.ceil((activeMs / 1000) * ((1 - share) / share)),
    parked,
  };
}
