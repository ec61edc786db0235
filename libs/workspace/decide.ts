import type { Decider } from '../event-log/decide-and-append.ts';
import { type Ceiling, NO_CEILING, type WorkspaceEvent } from './events.ts';

/** Whoever asks has been found to be of the workspace, and to operate it. */
export interface ChangeCeiling {
  readonly type: 'ChangeCeiling';
  /** A budget left out stays as it is; null lifts its ceiling. */
  readonly ceiling: Partial<Ceiling>;
  /** RFC 3339. */
  readonly at: string;
}

/** Nothing is refused: a ceiling gives no token anything it does not hold (P13). */
export function decide({ ceiling, at }: ChangeCeiling, before: Ceiling): readonly WorkspaceEvent[] {
  const { reads, writes } = { ...before, ...ceiling };
  if (reads === before.reads && writes === before.writes) return [];
  return [{ type: 'WorkspaceCeilingChanged', data: { reads, writes, at } }];
}

export function evolve(_ceiling: Ceiling, event: WorkspaceEvent): Ceiling {
  switch (event.type) {
    case 'WorkspaceCeilingChanged': {
      const { reads, writes } = event.data;
      return { reads, writes };
    }
    default:
      return unknownEvent(event.type);
  }
}

function unknownEvent(type: never): never {
  throw new Error(`unknown workspace event ${String(type)}`);
}

export const ceilingDecider: Decider<ChangeCeiling, Ceiling, WorkspaceEvent, never> = {
  initialState: NO_CEILING,
  decide,
  evolve,
};
