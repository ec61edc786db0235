import { type Decider, refuse } from '../event-log/decide-and-append.ts';

/**
 * What a session watches, in stream `mcp-session-<id>`: in the log, so that the process that holds the session's stream
 * knows of it, whichever process was told.
 */
export type WatchEvent = ResourceWatched | ResourceUnwatched;

export interface ResourceWatched {
  readonly type: 'ResourceWatched';
  readonly data: { readonly uri: string; readonly at: string };
}

export interface ResourceUnwatched {
  readonly type: 'ResourceUnwatched';
  readonly data: { readonly uri: string; readonly at: string };
}

export type WatchCommand = { readonly type: 'Watch' | 'Unwatch'; readonly uri: string; readonly at: string };

export type Watched = ReadonlySet<string>;

export const SESSION_PREFIX = 'mcp-session-';
export const sessionStream = (id: string): string => `${SESSION_PREFIX}${id}`;

/** A stream tells of so many resources, and a session remembers no more. */
export const MOST_WATCHED = 100;

export const watching: Decider<WatchCommand, Watched, WatchEvent, 'too-many'> = {
  initialState: new Set(),
  evolve(watched, { type, data: { uri } }) {
    switch (type) {
      case 'ResourceWatched':
        return new Set([...watched, uri]);
      case 'ResourceUnwatched':
        return new Set([...watched].filter((other) => other !== uri));
      default:
        return unknownEvent(type);
    }
  },
  decide({ type, uri, at }, watched) {
    switch (type) {
      case 'Watch':
        if (watched.has(uri)) return [];
        if (watched.size >= MOST_WATCHED) return refuse('too-many');
        return [{ type: 'ResourceWatched', data: { uri, at } }];
      case 'Unwatch':
        return watched.has(uri) ? [{ type: 'ResourceUnwatched', data: { uri, at } }] : [];
      default:
        return unknownCommand(type);
    }
  },
};

function unknownEvent(type: never): never {
  throw new Error(`unknown event of a session ${String(type)}`);
}

function unknownCommand(type: never): never {
  throw new Error(`unknown command of a session ${String(type)}`);
}
