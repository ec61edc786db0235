import { once } from 'node:events';
import type { Logger } from 'pino';
import { requireFounded } from '../../libs/founding/founding.ts';
import { openSealedLog } from '../../libs/privacy/open-sealed-log.ts';
import { startProjections } from '../../libs/projection/start-projections.ts';
import { openReadDb } from '../../libs/read-db/read-db.ts';
import type { Settings } from '../../libs/settings/settings.ts';
import { SettingsMistake } from '../../libs/settings/settings-mistake.ts';
import { SQL_PROJECTIONS } from '../../projections/sql-projections.ts';

/**
 * Leads the SQL projections, or stands by while another process does, until the signal aborts.
 * @throws SettingsMistake, NotFounded, and what log and database throw when out of reach at the start
 */
export async function runProjector(settings: Settings, logger: Logger, signal: AbortSignal): Promise<void> {
  const { eventStoreUrl, databaseUrl } = settings;
  if (eventStoreUrl === null || databaseUrl === null) {
    throw new SettingsMistake('A projector needs EVENTSTORE_URL and DATABASE_URL: embedded, the server does its work.');
  }
  const closing: (() => Promise<void>)[] = [];
  try {
    const opened = await openSealedLog(settings);
    const { log } = opened;
    closing.push(() => opened.close());
    await requireFounded(log);
    const readDb = await openReadDb({ databaseUrl });
    closing.push(() => readDb.close());
    const onFault = (projection: string, error: Error): void =>
      logger.warn({ err: error, projection }, 'projection stopped for now');
    const { stop } = await startProjections({ log, readDb, projections: SQL_PROJECTIONS, onFault });
    closing.push(stop);
    logger.info({ projections: SQL_PROJECTIONS.map(({ name }) => name) }, 'the projector follows the log');
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    for (const end of closing.toReversed()) await end();
  }
}
