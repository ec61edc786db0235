import { ulid } from 'ulid';
import type { TokenUse } from '../../libs/usage/use.ts';

/** A read just now, of a request of its own. */
export const madeUse = (token: string, workspace: string): TokenUse => ({
  token,
  workspace,
  time: new Date().toISOString(),
  face: 'rest',
  operation: 'who_am_i',
  resource: null,
  decision: 'allowed',
  reason: null,
  status: 200,
  duration_ms: 1.5,
  request_id: ulid(),
  client_address: '127.0.0.1',
  client_name: 'bench',
  budget: 'reads',
  cost: 1,
  window_second: Math.floor(Date.now() / 1000),
});
