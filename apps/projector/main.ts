import { setTimeout as sleep } from 'node:timers/promises';
import { NotFounded } from '../../libs/founding/founding.ts';
import { createLogger } from '../../libs/logging/logger.ts';
import { readSettings } from '../../libs/settings/settings.ts';
import { SettingsMistake } from '../../libs/settings/settings-mistake.ts';
import { runProjector } from './run-projector.ts';

/** A cluster may still be starting, or its log not be founded yet. */
const RETRY_MS = 2_000;

const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
process.once('SIGINT', () => stopping.abort());
const logger = createLogger();

try {
  const settings = readSettings(process.env);
  while (!stopping.signal.aborted) {
    try {
      await runProjector(settings, logger, stopping.signal);
    } catch (error) {
      if (error instanceof SettingsMistake) throw error;
      logger.warn({ err: error }, error instanceof NotFounded ? 'waiting for `writ init`' : 'cannot start for now');
      await sleep(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }
  process.exit(0);
} catch (error) {
  console.error(error instanceof SettingsMistake ? error.message : error);
  process.exit(1);
}
