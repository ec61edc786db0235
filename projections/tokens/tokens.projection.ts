import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Person } from '../../libs/person/person.ts';
import { put, set } from '../../libs/projection/change.ts';
import type { Projection } from '../../libs/projection/projection.ts';
import {
  type OwnLimits,
  type Restriction,
  type RevocationReason,
  TOKEN_PREFIX,
  type TokenEvent,
  type TokenKind,
} from '../../libs/tokens/events.ts';

export interface TokenTables {
  tokens: {
    id: string;
    workspace: string;
    owner_id: string;
    owner: Person;
    catalogue: string;
    kind: TokenKind;
    name: string;
    lineage: string;
    scopes: string[];
    restrict: Restriction;
    limits: OwnLimits;
    created_at: string;
    expires_at: string | null;
    predecessor: string | null;
    successor: string | null;
    overlap_ends_at: string | null;
    activated: boolean;
    suspended: boolean;
    revoked_at: string | null;
    revoked_reason: RevocationReason | null;
    revoked_note: string | null;
    revision: number;
    /** Of its first event: the order of the list. */
    position: number;
  };
}

/** What a list of tokens shows, dead ones included. The digest is not kept. */
export const tokens: Projection = {
  name: 'tokens',
  version: 1,
  streamPrefixes: [TOKEN_PREFIX],
  tables: {
    tokens: {
      columns: {
        id: 'text',
        workspace: 'text',
        owner_id: 'text',
        owner: 'jsonb',
        catalogue: 'text',
        kind: 'text',
        name: 'text',
        lineage: 'text',
        scopes: 'jsonb',
        restrict: 'jsonb',
        limits: 'jsonb',
        created_at: 'text',
        expires_at: 'text',
        predecessor: 'text',
        successor: 'text',
        overlap_ends_at: 'text',
        activated: 'boolean',
        suspended: 'boolean',
        revoked_at: 'text',
        revoked_reason: 'text',
        revoked_note: 'text',
        revision: 'integer',
        position: 'bigint',
      },
      primaryKey: ['id'],
      indexes: ['(workspace, position desc)', '(workspace, owner_id, position desc)'],
    },
  },
  apply(recorded) {
    const event = recorded as RecordedEvent & TokenEvent;
    const id = event.stream.slice(TOKEN_PREFIX.length);
    const { revision, position } = event;
    const change = (values: Partial<TokenTables['tokens']>) => set('tokens', { id }, { ...values, revision });
    switch (event.type) {
      case 'TokenCreated': {
        const { digest: _kept, id: _same, at, ...data } = event.data;
        const owner_id = data.owner.id;
        const activated = data.predecessor === null;
        const row = { ...data, id, owner_id, created_at: at, activated, suspended: false, revision, position };
        return [put('tokens', row)];
      }
      case 'TokenRenamed':
        return [change({ name: event.data.name })];
      case 'TokenScoped':
        return [change({ scopes: [...event.data.scopes], restrict: event.data.restrict })];
      case 'TokenLimitsChanged':
        return [change({ limits: event.data.limits, expires_at: event.data.expires_at })];
      case 'TokenSuspended':
        return [change({ suspended: true })];
      case 'TokenResumed':
        return [change({ suspended: false })];
      case 'TokenRotated': {
        const { successor, overlap_ends_at } = event.data;
        return [change({ successor, overlap_ends_at }), set('tokens', { id: successor }, { activated: true })];
      }
      case 'TokenRevoked': {
        const { at, reason, note } = event.data;
        return [change({ revoked_at: at, revoked_reason: reason, revoked_note: note })];
      }
      case 'TokenExpired':
        return [change({})];
      default:
        return unknownEvent(event);
    }
  },
};

function unknownEvent(event: never): never {
  throw new Error(`unknown token event ${(event as RecordedEvent).type}`);
}
