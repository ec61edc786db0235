import { hash } from 'node:crypto';
import { ReplyError } from 'ioredis';

/** The way to the server or servers that hold the view: never queues while it is down, never sends twice. */
export interface Connection {
  /**
   * Which run of the server scripts are to trust (`INFO server`): known here where there is one server, `ASK_THE_SERVER`
   * where a script may run on any of several; null while it cannot be said.
   */
  readonly runId: string | null;
  /** Why `runId` is null. */
  readonly reason: string;
  /** Runs a script in one round trip, two where the server has not seen it yet. @throws Error: it may have run or not */
  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown>;
  close(): void;
}

/** As a `runId`: the script finds out on whichever server it runs. */
export const ASK_THE_SERVER = '';

export interface ConnectionOptions {
  readonly url: string;
  /** Deadline of each command. */
  readonly commandTimeoutMs: number;
}

/** A Lua script and the name the server knows it by, once it has seen it. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

export const script = (source: string): Script => ({ source, sha: hash('sha1', source) });

export type Argument = string | number;

/** What both of ioredis' clients have. */
interface Evaluating {
  evalsha(sha: string, keyCount: number, ...keysAndArgs: Argument[]): Promise<unknown>;
  eval(source: string, keyCount: number, ...keysAndArgs: Argument[]): Promise<unknown>;
}

export async function evaluate(
  redis: Evaluating,
  { source, sha }: Script,
  keys: readonly string[],
  args: readonly Argument[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    // Only what surely did not run is sent again.
    if (!(error instanceof ReplyError) || !(error as Error).message.startsWith('NOSCRIPT')) throw error;
    return await redis.eval(source, keys.length, ...keys, ...args);
  }
}

/** For both kinds of connection (ioredis' options). */
export const commandOptions = (commandTimeoutMs: number) => ({
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: commandTimeoutMs,
  connectTimeout: 2_000,
  // How long a closed connection may keep the process.
  disconnectTimeout: 200,
});

/** @throws Error where the server may evict keys. @param memory what `INFO memory` says */
export function refuseEviction(memory: string): void {
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (policy !== 'noeviction')
    throw new MayEvict(
      `Redis must run with maxmemory-policy noeviction, not ${policy}: an evicted token or window is a wrong answer`,
    );
}

export class MayEvict extends Error {
  override readonly name = 'MayEvict';
}
