import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Actor } from '../../libs/person/actor.ts';
import { actorOf } from '../../libs/projection/actor-of.ts';
import { type Change, put, set } from '../../libs/projection/change.ts';
import type { Table } from '../../libs/projection/projection.ts';
import { ASSET_PREFIX, type AssetEvent, type Shape } from '../../libs/toado/assets/events.ts';

export interface AssetTables {
  /** Where an asset lies is its ticket's to say; queries join. */
  assets: {
    id: string;
    ticket: string;
    name: string;
    media_type: string;
    sha256: string;
    place: string;
    length_bytes: number;
    removed: boolean;
    version: number;
    actor: Actor;
    created_at: string;
    log_position: number;
  };
  annotations: {
    id: string;
    asset: string;
    shape: Shape;
    text: string;
    removed: boolean;
    actor: Actor;
    created_at: string;
    log_position: number;
  };
}

export const assetTables: Readonly<Record<keyof AssetTables, Table>> = {
  assets: {
    columns: {
      id: 'text',
      ticket: 'text',
      name: 'text',
      media_type: 'text',
      sha256: 'text',
      place: 'text',
      length_bytes: 'bigint',
      removed: 'boolean',
      version: 'integer',
      actor: 'jsonb',
      created_at: 'text',
      log_position: 'bigint',
    },
    primaryKey: ['id'],
    indexes: ['(ticket, log_position desc)'],
  },
  annotations: {
    columns: {
      id: 'text',
      asset: 'text',
      shape: 'jsonb',
      text: 'text',
      removed: 'boolean',
      actor: 'jsonb',
      created_at: 'text',
      log_position: 'bigint',
    },
    primaryKey: ['id'],
    indexes: ['(asset, log_position desc)'],
  },
};

export function applyAsset(event: RecordedEvent & AssetEvent): readonly Change[] {
  const asset = event.stream.slice(ASSET_PREFIX.length);
  const { revision: version, position: log_position } = event;
  const actor = actorOf(event);
  const written = { actor, created_at: event.data.at, log_position };
  switch (event.type) {
    case 'AssetUploaded': {
      const { ticket, name, media_type, sha256, place = sha256, length_bytes } = event.data;
      const file = { name, media_type, sha256, place, length_bytes };
      return [put('assets', { id: asset, ticket, ...file, removed: false, version, ...written })];
    }
    case 'AssetAnnotated': {
      const { annotation: id, shape, text } = event.data;
      const row = { id, asset, shape, text, removed: false, ...written };
      return [put('annotations', row), set('assets', { id: asset }, { version })];
    }
    case 'AnnotationRemoved': {
      const { annotation: id } = event.data;
      return [set('annotations', { id }, { removed: true }), set('assets', { id: asset }, { version })];
    }
    case 'AssetRemoved':
      return [set('assets', { id: asset }, { removed: true, version })];
    default:
      return unknownEvent(event);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown asset event ${(event as RecordedEvent).type}`);
}
