import streams from '@eventstore/db-client/generated/streams_grpc_pb.js';

type Listener = (...args: unknown[]) => void;
interface Call {
  on(event: string, listener: Listener): this;
  write(message: unknown, ...rest: unknown[]): boolean;
}

let guarded = false;

/**
 * Two faults of the client's batch appends (6.2.1) would end the process, and no caller can catch them:
 * - its table of pending appends is one for all clients and emptied by any stream's error; an answer that comes
 *   afterwards is not found in it, and destructuring `undefined` throws inside an event handler;
 * - appends queued behind a full stream (`write` said false) reject a promise nobody holds when the stream breaks.
 * So an answer nobody waits for is dropped (its append is repeated, as of unknown outcome), and `write` never asks
 * for a pause (what waits is bounded by the callers, who each wait for their append).
 */
export function guardBatchStreams(): void {
  if (guarded) return;
  guarded = true;
  const prototype = streams.StreamsClient.prototype as unknown as { batchAppend: (...args: unknown[]) => Call };
  const open = prototype.batchAppend;
  prototype.batchAppend = function (this: unknown, ...args) {
    const call = open.apply(this, args);
    const on = call.on.bind(call);
    const write = call.write.bind(call);
    call.on = (event, listener) => {
      on(event, event === 'data' ? unlessForgotten(listener) : listener);
      return call;
    };
    call.write = (...message) => {
      write(...message);
      return true;
    };
    return call;
  };
}

function unlessForgotten(listener: Listener): Listener {
  return (...args) => {
    try {
      listener(...args);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  };
}
