import type { Settings } from '../settings/settings.ts';
import type { EventLog } from './event-log.ts';

/** The log the settings name. The driver of the other is not even loaded. @throws LogInUse, LogUnavailable */
export async function openEventLog({
  dataDir,
  eventStoreUrl,
}: Pick<Settings, 'dataDir' | 'eventStoreUrl'>): Promise<EventLog> {
  if (eventStoreUrl === null) {
    const { openSqliteEventLog } = await import('./sqlite/sqlite-event-log.ts');
    return openSqliteEventLog({ directory: dataDir });
  }
  const { openEventStoreLog } = await import('./eventstoredb/eventstore-log.ts');
  return openEventStoreLog({ connectionString: eventStoreUrl });
}
