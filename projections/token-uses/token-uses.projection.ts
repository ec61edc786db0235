import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Actor } from '../../libs/person/actor.ts';
import { add, type Change } from '../../libs/projection/change.ts';
import type { Projection } from '../../libs/projection/projection.ts';
import { TOKEN_PREFIX, type TokenEvent } from '../../libs/tokens/events.ts';
import { type TokenUseEnded, type TokenUsesDenied, useOf } from '../../libs/usage/use.ts';

/** An event can be both, of one token: a token that rotates itself. */
export const LIFE = 0;
export const USE = 1;

export interface HistoryTables {
  history: {
    token: string;
    position: number;
    /** `LIFE` or `USE`. */
    part: number;
    revision: number;
    stream: string;
    type: string;
    time: string;
    workspace: string | null;
    request_id: string | null;
    operation: string | null;
    data: unknown;
    actor: Actor | null;
  };
}

/**
 * A token's life and all its uses in the log's order, found by token or by request. Uses come from journals and from
 * the metadata of what tokens wrote; several events of one write carry the same use, which is kept once.
 */
export const tokenUses: Projection = {
  name: 'token-uses',
  version: 1,
  streamPrefixes: null,
  tables: {
    history: {
      columns: {
        token: 'text',
        position: 'bigint',
        part: 'integer',
        revision: 'integer',
        stream: 'text',
        type: 'text',
        time: 'text',
        workspace: 'text',
        request_id: 'text',
        operation: 'text',
        data: 'jsonb',
        actor: 'jsonb',
      },
      primaryKey: ['token', 'position', 'part'],
      indexes: [`(token, time) where part = ${USE}`],
      uniqueIndexes: ['(request_id, token, time, operation)'],
    },
  },
  apply(event) {
    const changes: Change[] = [];
    if (event.stream.startsWith(TOKEN_PREFIX)) changes.push(life(event));
    const use = useOf(event);
    if (use !== null) {
      if (typeof use.token !== 'string' || typeof use.time !== 'string')
        throw new Error('the use names no token or time');
      const { token, time, workspace, request_id, operation } = use;
      const row = { token, part: USE, type: 'TokenUsed', time, workspace, request_id, operation, data: use };
      changes.push(add('history', { ...row, ...placeOf(event) }));
    } else if (event.type === 'TokenUseEnded') {
      const data = event.data as TokenUseEnded['data'];
      const { token, time, workspace, request_id, operation } = data;
      const row = { token, part: USE, type: event.type, time, workspace, request_id, operation, data };
      changes.push(add('history', { ...row, ...placeOf(event) }));
    } else if (event.type === 'TokenUsesDenied') {
      const data = event.data as TokenUsesDenied['data'];
      const { token, to: time, operation } = data;
      const row = { token, part: USE, type: event.type, time, workspace: null, request_id: null, operation, data };
      if (token !== null) changes.push(add('history', { ...row, ...placeOf(event) }));
    }
    return changes;
  },
};

const placeOf = (event: RecordedEvent) => ({
  position: event.position,
  revision: event.revision,
  stream: event.stream,
  actor: event.metadata['actor'] ?? null,
});

function life(event: RecordedEvent): Change {
  const known = event as RecordedEvent & TokenEvent;
  const row = {
    token: event.stream.slice(TOKEN_PREFIX.length),
    part: LIFE,
    type: event.type,
    time: known.data.at,
    workspace: null,
    request_id: null,
    operation: null,
    ...placeOf(event),
  };
  switch (known.type) {
    case 'TokenCreated': {
      const { digest: _kept, ...data } = known.data;
      return add('history', { ...row, workspace: data.workspace, data });
    }
    case 'TokenRenamed':
    case 'TokenScoped':
    case 'TokenLimitsChanged':
    case 'TokenSuspended':
    case 'TokenResumed':
    case 'TokenRotated':
    case 'TokenRevoked':
    case 'TokenExpired':
      return add('history', { ...row, data: known.data });
    default:
      return unknownEvent(known);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown token event ${(event as RecordedEvent).type}`);
}
