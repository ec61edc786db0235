import type { RecordedEvent } from '../event-log/event-log.ts';
import { type Face, type TokenUsesDenied, type TokenUse, useOf } from '../usage/use.ts';
import type { Calls } from './digest.ts';

/** Calls that an event tells of: one, or many that were denied. */
export interface CallsTold {
  readonly token: string;
  readonly timeMs: number;
  readonly face: Face;
  readonly operation: string;
  /** Null: allowed. */
  readonly reason: string | null;
  readonly outcome: keyof Calls;
  readonly count: number;
  /** Null where a routine called, or where only the network is known. */
  readonly address: string | null;
  /** The routine that called. */
  readonly routine: string | null;
  /** The same for all events that carry this call, of which it is counted once; null: it is in this one only. */
  readonly carried: string | null;
}

/** Null: it tells of no call by a token. Many refusals in one event count as of the last of them. */
export function callsToldBy(event: RecordedEvent): CallsTold | null {
  if (event.type === 'TokenUsesDenied') return denialsTold(event.data as TokenUsesDenied['data']);
  const use = useOf(event);
  return use === null ? null : callTold(use, event.type !== 'TokenUsed');
}

function callTold(use: TokenUse, written: boolean): CallsTold {
  const { token, time, face, operation, resource, decision, reason, client_address, client_name } = use;
  const ofRoutine = face === 'routine';
  return {
    token,
    timeMs: Date.parse(time),
    face,
    operation,
    reason,
    outcome: decision === 'allowed' ? 'allowed' : reason === 'failed' ? 'failed' : 'denied',
    count: 1,
    address: ofRoutine ? null : client_address,
    // What the runner names itself as (routine-face.ts).
    routine: ofRoutine ? client_name.replace(/^routine /, '') : null,
    carried: written ? `${use.request_id} ${token} ${operation} ${resource}` : null,
  };
}

function denialsTold({ token, to, face, operation, reason, count }: TokenUsesDenied['data']): CallsTold | null {
  if (token === null) return null;
  const timeMs = Date.parse(to);
  const unknown = { address: null, routine: null, carried: null };
  return { token, timeMs, face, operation, reason, outcome: 'denied', count, ...unknown };
}
