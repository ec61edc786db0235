import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Actor } from '../../libs/person/actor.ts';
import { TOKEN_PREFIX, type TokenEvent } from '../../libs/tokens/events.ts';
import type { HistoryItem } from '../../libs/usage/queries.ts';
import { type TokenUseEnded, type TokenUsesDenied, useOf } from '../../libs/usage/use.ts';

/** What an event says of a token: an event can be of a token's life, a use of it, or (a token that rotates itself) both. */
export interface TokenItem extends HistoryItem {
  readonly token: string;
  readonly part: 'life' | 'use';
  /** Null where it is not of one request. */
  readonly requestId: string | null;
  /** Null: not known. */
  readonly workspace: string | null;
}

/** In the order of a history. @throws Error for an event of a token's life that is not known, or a use without token or time */
export function itemsOf(event: RecordedEvent): readonly TokenItem[] {
  const use = useItem(event);
  if (!event.stream.startsWith(TOKEN_PREFIX)) return use === null ? [] : [use];
  return use === null ? [lifeItem(event)] : [lifeItem(event), use];
}

function useItem(event: RecordedEvent): TokenItem | null {
  const use = useOf(event);
  if (use !== null) {
    if (typeof use.token !== 'string' || typeof use.time !== 'string')
      throw new Error('the use names no token or time');
    const { token, time, request_id: requestId, workspace } = use;
    return { ...placeOf(event), token, part: 'use', type: 'TokenUsed', time, data: use, requestId, workspace };
  }
  const { type } = event;
  if (type === 'TokenUseEnded') {
    const data = event.data as TokenUseEnded['data'];
    const { token, time, request_id: requestId, workspace } = data;
    return { ...placeOf(event), token, part: 'use', type, time, data, requestId, workspace };
  }
  if (type === 'TokenUsesDenied') {
    const data = event.data as TokenUsesDenied['data'];
    const { token, to: time } = data;
    if (token === null) return null;
    return { ...placeOf(event), token, part: 'use', type, time, data, requestId: null, workspace: null };
  }
  return null;
}

const placeOf = (event: RecordedEvent) => ({
  position: event.position,
  revision: event.revision,
  stream: event.stream,
  actor: (event.metadata['actor'] as Actor | undefined) ?? null,
});

function lifeItem(event: RecordedEvent): TokenItem {
  const known = event as RecordedEvent & TokenEvent;
  const item = {
    ...placeOf(event),
    token: event.stream.slice(TOKEN_PREFIX.length),
    part: 'life' as const,
    type: known.type,
    time: known.data.at,
    requestId: null,
    workspace: null,
  };
  switch (known.type) {
    case 'TokenCreated': {
      const { digest: _kept, ...data } = known.data;
      return { ...item, data };
    }
    case 'TokenRenamed':
    case 'TokenScoped':
    case 'TokenLimitsChanged':
    case 'TokenSuspended':
    case 'TokenResumed':
    case 'TokenRotated':
    case 'TokenRevoked':
    case 'TokenExpired':
      return { ...item, data: known.data };
    default:
      return unknownEvent(known);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown token event ${(event as RecordedEvent).type}`);
}
