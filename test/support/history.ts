import { randomUUID } from 'node:crypto';
import type { NewEvent } from '../../libs/event-log/event-log.ts';

/** Events as the log holds them, of which a spec says only what it is about. */

export const eventOf = (type: string, data: object, metadata: object = {}): NewEvent => ({
  id: randomUUID(),
  type,
  data,
  metadata: { $correlationId: 'r', $causationId: 'r', schema: 1, ...metadata },
});

export const jason = { id: 'jason', name: 'Jason' };
/** Who made and changed the tokens. */
export const mia = { person: { id: 'mia', name: 'Mia' }, token: 'OP', label: 'operator', face: 'rest' };

export function tokenCreated(id: string, atMs: number, more: object = {}): NewEvent {
  const life = { catalogue: 'comma', kind: 'agent', name: `agent ${id.slice(-4)}`, owner: jason, workspace: 'w1' };
  const powers = { scopes: ['reports:read'], restrict: { companies: [], projects: [] }, expires_at: null };
  const rest = { limits: { reads: null, writes: null }, digest: 'd', lineage: id, predecessor: null };
  const at = new Date(atMs).toISOString();
  return eventOf('TokenCreated', { id, ...life, ...powers, ...rest, at, ...more }, { actor: mia });
}

/** A use as a journal's event, or a write's metadata, holds it: an allowed read, if nothing else is said. */
export const useOfToken = (token: string, timeMs: number, more: object = {}) => ({
  token,
  workspace: 'w1',
  time: new Date(timeMs).toISOString(),
  face: 'rest',
  operation: 'list_reports',
  resource: null,
  decision: 'allowed',
  reason: null,
  status: 200,
  duration_ms: 1,
  request_id: randomUUID(),
  client_address: '192.0.2.7',
  client_name: 'curl',
  budget: 'reads',
  cost: 1,
  window_second: 1,
  ...more,
});
