import type { TokenUse } from '../../libs/usage/use.ts';

/** A read just now. */
export const madeUse = (change: Partial<TokenUse> = {}): TokenUse => ({
  token: 't',
  workspace: 'w',
  time: new Date().toISOString(),
  face: 'rest',
  operation: 'who_am_i',
  resource: null,
  decision: 'allowed',
  reason: null,
  status: 200,
  duration_ms: 1,
  request_id: 'r',
  client_address: '127.0.0.1',
  client_name: 'test',
  budget: 'reads',
  cost: 1,
  window_second: Math.floor(Date.now() / 1000),
  ...change,
});
