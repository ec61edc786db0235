import { gather } from '../../libs/projection/change.ts';
import type { Projection } from '../../libs/projection/projection.ts';
import { itemsOf } from './items.ts';
import { encodePlace } from './places.ts';

export interface TokenUsesTables {
  /** Where events about a token lie in the log: one row a token, stream and block of positions. */
  places: {
    token: string;
    block: number;
    stream: string;
    /** Revisions and positions, in the log's order (places.ts). */
    places: string;
    /** Of the uses among them, RFC 3339; null where there are none. */
    first_time: string | null;
    last_time: string | null;
  };
  /** Which request ids a stretch of a stream holds: a ULID is found by comparing it with the least and the greatest. */
  requests: {
    stream: string;
    block: number;
    first_revision: number;
    last_revision: number;
    first_request: string;
    last_request: string;
  };
}

const POSITIONS_A_BLOCK = 1_024;
const REVISIONS_A_BLOCK = 256;

export const blockOf = (position: number): number => Math.floor(position / POSITIONS_A_BLOCK);

/**
 * Where to find a token's life and uses, by token or by request. What they were is not copied: the log is the truth,
 * and read at the places found (docs/decisions/0010).
 */
export const tokenUses: Projection = {
  name: 'token-uses',
  version: 2,
  streamPrefixes: null,
  tables: {
    places: {
      columns: {
        token: 'text',
        block: 'bigint',
        stream: 'text',
        places: 'text',
        first_time: 'text',
        last_time: 'text',
      },
      primaryKey: ['token', 'block', 'stream'],
      gathers: { places: 'append', first_time: 'least', last_time: 'greatest' },
    },
    requests: {
      columns: {
        stream: 'text',
        block: 'bigint',
        first_revision: 'integer',
        last_revision: 'integer',
        first_request: 'text',
        last_request: 'text',
      },
      primaryKey: ['stream', 'block'],
      gathers: {
        first_revision: 'least',
        last_revision: 'greatest',
        first_request: 'least',
        last_request: 'greatest',
      },
      indexes: ['(last_request)'],
    },
  },
  apply(event) {
    const { stream, revision, position } = event;
    const items = itemsOf(event);
    const places = [...new Set(items.map(({ token }) => token))].map((token) => {
      const time = items.find((item) => item.token === token && item.part === 'use')?.time ?? null;
      return gather('places', {
        token,
        block: blockOf(position),
        stream,
        places: encodePlace(revision, position),
        first_time: time,
        last_time: time,
      });
    });
    const request = items.find(({ requestId }) => requestId !== null)?.requestId ?? null;
    if (request === null) return places;
    const stretch = gather('requests', {
      stream,
      block: Math.floor(revision / REVISIONS_A_BLOCK),
      first_revision: revision,
      last_revision: revision,
      first_request: request,
      last_request: request,
    });
    return [...places, stretch];
  },
};
