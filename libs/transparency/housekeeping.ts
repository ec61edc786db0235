import type { LogReader, ReadAllOptions } from '../event-log/event-log.ts';
import { PUSHES_PREFIX } from '../siem/events.ts';
import { CHECKPOINTS_STREAM } from './events.ts';
import { SCHEDULED_EXPORTS_STREAM } from './scheduled/events.ts';

/**
 * What signing, exporting and pushing leave in the log themselves. It is signed, exported and pushed with what comes
 * after it; alone it is no reason for any of that, else an idle log would never come to rest.
 */
export const isHousekeeping = (stream: string): boolean =>
  stream === CHECKPOINTS_STREAM || stream === SCHEDULED_EXPORTS_STREAM || stream.startsWith(PUSHES_PREFIX);

/** Whether a stretch of the log gives a reason for any of it. @throws LogUnavailable */
export async function holdsMoreThanHousekeeping(log: LogReader, stretch: ReadAllOptions): Promise<boolean> {
  for await (const { stream } of log.readAll(stretch)) if (!isHousekeeping(stream)) return true;
  return false;
}
