import { PUSHES_PREFIX } from '../siem/events.ts';
import { CHECKPOINTS_STREAM } from './events.ts';
import { SCHEDULED_EXPORTS_STREAM } from './scheduled/events.ts';

/**
 * What signing, exporting and pushing leave in the log themselves. It is signed, exported and pushed with what comes
 * after it; alone it is no reason for any of that, else an idle log would never come to rest.
 */
export const isHousekeeping = (stream: string): boolean =>
  stream === CHECKPOINTS_STREAM || stream === SCHEDULED_EXPORTS_STREAM || stream.startsWith(PUSHES_PREFIX);
