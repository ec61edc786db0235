import { type Decider, refuse, type Refused } from '../event-log/decide-and-append.ts';
import type { LegalHoldPlaced, RetentionEvent, UsageArchived, UsageScavenged } from './events.ts';

export interface Retention {
  readonly archives: readonly UsageArchived['data'][];
  /** Files whose events are in the archive and perhaps still in the log. */
  readonly unscavenged: readonly string[];
  /** In force. */
  readonly holds: readonly LegalHoldPlaced['data'][];
}

export type RetentionCommand =
  | { readonly kind: 'archived'; readonly archive: UsageArchived['data'] }
  | ({ readonly kind: 'scavenged' } & UsageScavenged['data'])
  | ({ readonly kind: 'place-hold' } & LegalHoldPlaced['data'])
  | { readonly kind: 'lift-hold'; readonly hold: string; readonly reason: string; readonly at: string };

/** `on-hold`: somebody placed a hold meanwhile. `unknown-hold`: there is none of that id in force. */
export type RetentionRefusal = 'on-hold' | 'unknown-hold';

const initialState: Retention = { archives: [], unscavenged: [], holds: [] };

function decide(command: RetentionCommand, state: Retention): readonly RetentionEvent[] | Refused<RetentionRefusal> {
  switch (command.kind) {
    case 'archived': {
      const { archive } = command;
      // Another process was at the same streams; its archive is as good.
      if (archive.streams.some(({ name }) => isArchived(state, name))) return [];
      return state.holds.length > 0 ? refuse('on-hold') : [{ type: 'UsageArchived', data: archive }];
    }
    case 'scavenged': {
      const { file, at } = command;
      return state.unscavenged.includes(file) ? [{ type: 'UsageScavenged', data: { file, at } }] : [];
    }
    case 'place-hold': {
      const { hold, reason, at } = command;
      if (state.holds.some((known) => known.hold === hold)) return [];
      return [{ type: 'LegalHoldPlaced', data: { hold, reason, at } }];
    }
    case 'lift-hold': {
      const { hold, reason, at } = command;
      if (!state.holds.some((known) => known.hold === hold)) return refuse('unknown-hold');
      return [{ type: 'LegalHoldLifted', data: { hold, reason, at } }];
    }
    default:
      return unknown(command);
  }
}

function evolve(state: Retention, event: RetentionEvent): Retention {
  switch (event.type) {
    case 'UsageArchived':
      return {
        ...state,
        archives: [...state.archives, event.data],
        unscavenged: [...state.unscavenged, event.data.file],
      };
    case 'UsageScavenged':
      return { ...state, unscavenged: state.unscavenged.filter((file) => file !== event.data.file) };
    case 'LegalHoldPlaced':
      return { ...state, holds: [...state.holds, event.data] };
    case 'LegalHoldLifted':
      return { ...state, holds: state.holds.filter(({ hold }) => hold !== event.data.hold) };
    default:
      return unknown(event);
  }
}

const isArchived = ({ archives }: Retention, stream: string): boolean =>
  archives.some(({ streams }) => streams.some(({ name }) => name === stream));

function unknown(given: never): never {
  throw new Error(`unknown ${JSON.stringify(given)}`);
}

export const retentionDecider: Decider<RetentionCommand, Retention, RetentionEvent, RetentionRefusal> = {
  initialState,
  decide,
  evolve,
};
