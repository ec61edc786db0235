import type { MessagePort } from 'node:worker_threads';
import type { LogReader, Position } from '../../event-log/event-log.ts';
import type { ReadDb } from '../../read-db/read-db.ts';
import type { AnyProjection } from '../projection.ts';
import type { RunningProjection } from '../runner.ts';
import { startProjections } from '../start-projections.ts';
import type { FromProjections, Question, ToProjections } from './messages.ts';
import { ThreadShare } from './thread-share.ts';

/** The gate is asked when the log is written only: what it said before then counts no longer than this. */
const BUSY_LASTS_MS = 100;
/** Of one processor: enough for a few thousand uses a second. */
const SHARE_WHILE_BUSY = 0.25;

export interface ServeOptions {
  readonly port: MessagePort;
  readonly log: LogReader;
  readonly headIs: (position: Position) => void;
  readonly readDb: ReadDb;
  readonly projections: readonly AnyProjection[];
}

/**
 * Runs projections on this thread for another one, until that one says stop.
 * @throws Error when database or log cannot be reached at the start
 */
export async function serveProjections({ port, log, headIs, readDb, projections }: ServeOptions): Promise<void> {
  const named = new Map<string, RunningProjection>();
  const share = new ThreadShare(SHARE_WHILE_BUSY);
  let busyUntilMs = 0;
  const busy = (): boolean => performance.now() < busyUntilMs;
  const say = (message: FromProjections): void => port.postMessage(message);
  const stopped = new Promise<void>((resolve) => {
    port.on('message', (message: ToProjections) => {
      switch (message.kind) {
        case 'head':
          if (message.busy) busyUntilMs = performance.now() + BUSY_LASTS_MS;
          return headIs(message.position);
        case 'ask':
          return void answer(named.get(message.projection), message, say);
        case 'stop':
          return resolve();
        default:
          return unknownMessage(message);
      }
    });
  });
  const onFault = (projection: string, error: Error): void => say({ kind: 'fault', projection, error });
  const onReached = (projection: string, position: Position): void => say({ kind: 'reached', projection, position });
  const { running, stop } = await startProjections({ log, readDb, projections, busy, share, onFault, onReached });
  for (const projection of running) named.set(projection.name, projection);
  say({ kind: 'started', positions: running.map((projection) => projection.position()) });
  await stopped;
  await stop();
}

async function answer(
  projection: RunningProjection | undefined,
  { id, question }: ToProjections & { kind: 'ask' },
  say: (message: FromProjections) => void,
): Promise<void> {
  try {
    if (projection === undefined) throw new Error('there is no such projection');
    say({ kind: 'answer', id, answer: await ask(projection, question) });
  } catch (error) {
    say({ kind: 'failed', id, error: error as Error });
  }
}

function ask(projection: RunningProjection, question: Question): Promise<unknown> {
  switch (question.method) {
    case 'status':
      return projection.status();
    case 'waitFor':
      return projection.waitFor(question.position, question.timeoutMs);
    case 'rebuild':
      return projection.rebuild(question.anew);
    case 'stopRebuild':
      return projection.stopRebuild();
    case 'verify':
      return projection.verify();
    case 'retry':
      return projection.retry(question.stream);
    default:
      return unknownMessage(question);
  }
}

function unknownMessage(message: never): never {
  throw new Error(`unknown message ${JSON.stringify(message)}`);
}
