import { type AppendContext, decideAndAppend, load } from '../event-log/decide-and-append.ts';
import type { EventLog } from '../event-log/event-log.ts';
import type { DeclaredOperation, Result } from '../operation/operation.ts';
import { invalid, keyReused, unavailable } from '../problem/problem.ts';
import { handshake } from './handshakes.ts';
import type { Session } from './session.ts';
import { MOST_WATCHED, sessionStream, type WatchCommand, type Watched, watching } from './watching.ts';

/** What sessions watch, kept in the log. */
export class SessionWatches {
  readonly #log: EventLog;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** What a session watches now. @throws LogUnavailable */
  async of(session: Session): Promise<Watched> {
    return (await load(this.#log, sessionStream(session.id), watching)).state;
  }

  /** To watch a resource or to watch it no more: an operation of the caller's, recorded with what it appends. */
  change(type: WatchCommand['type'], session: Session, uri: string): DeclaredOperation {
    const name = type === 'Watch' ? 'mcp_subscribe' : 'mcp_unsubscribe';
    return handshake(name, type === 'Watch' ? 'Subscribe to a resource' : 'End a subscription', (call) => {
      const at = new Date(call.nowMs).toISOString();
      return this.#decide({ type, uri, at }, session, call.append(`session/${session.id}`));
    });
  }

  async #decide(command: WatchCommand, session: Session, context: AppendContext): Promise<Result> {
    const outcome = await decideAndAppend(this.#log, sessionStream(session.id), watching, command, context);
    switch (outcome.kind) {
      case 'done':
        return { body: null, position: outcome.repeated ? null : outcome.position };
      case 'refused':
        return invalid([{ field: 'uri', message: `a session watches ${MOST_WATCHED} resources at most` }]);
      case 'conflict':
        return unavailable('The session was changed at the same time.');
      case 'key-reused':
        return keyReused();
      default:
        return unknownOutcome(outcome);
    }
  }
}

function unknownOutcome(outcome: never): never {
  throw new Error(`unknown outcome ${JSON.stringify(outcome)}`);
}
