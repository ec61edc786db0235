import type { Cost } from '../hot-view/hot-view.ts';
import type { Call, DeclaredOperation, Result } from '../operation/operation.ts';
import { NoInput } from '../tokens/operations/inputs.ts';

/** Of a window of their own, generous: an editor that reconnects must not eat its agent's reads. */
const HANDSHAKE: Cost = { reads: 0, writes: 0, handshakes: 1 };

/**
 * What a client asks of the protocol and of no product, declared as the products' operations are: it passes the gate,
 * and is on record. None has a REST route.
 */
export function handshake(
  name: string,
  title: string,
  run: (call: Call) => Promise<Result> | Result = () => ({ body: null }),
): DeclaredOperation {
  return {
    spec: {
      name,
      title,
      summary: title,
      catalogue: null,
      scope: null,
      cost: HANDSHAKE,
      http: { method: 'post', path: '/api/mcp' },
      input: NoInput,
      output: {},
      effect: 'reads',
    },
    operation: { run: (_input, call) => run(call) },
  };
}

/** A tool, resource or method that is none, or a message that is no message: who sent it is asked all the same (P12). */
export const UNKNOWN_REQUEST = handshake('mcp_request', 'Ask something unknown');
const NOTIFY = handshake('mcp_notify', 'Notify the server');

const BY_METHOD: Readonly<Record<string, DeclaredOperation>> = {
  initialize: handshake('mcp_initialize', 'Introduce a client'),
  'server/discover': handshake('mcp_discover', 'Ask what the server can do'),
  ping: handshake('mcp_ping', 'Ping'),
};

/** What a message that reached no operation is filed under. */
export const handshakeOf = (method: string | undefined): DeclaredOperation => {
  if (method === undefined) return UNKNOWN_REQUEST;
  return BY_METHOD[method] ?? (method.startsWith('notifications/') ? NOTIFY : UNKNOWN_REQUEST);
};
