import type { Settings } from '../settings/settings.ts';
import type { EventLog, LogReader, Position } from './event-log.ts';

type LogSettings = Pick<Settings, 'dataDir' | 'eventStoreUrl'>;

/** The log the settings name. The driver of the other is not even loaded. @throws LogInUse, LogUnavailable */
export async function openEventLog({ dataDir, eventStoreUrl }: LogSettings): Promise<EventLog> {
  if (eventStoreUrl === null) {
    const { openSqliteEventLog } = await import('./sqlite/sqlite-event-log.ts');
    return openSqliteEventLog({ directory: dataDir });
  }
  const { openEventStoreLog } = await import('./eventstoredb/eventstore-log.ts');
  return openEventStoreLog({ connectionString: eventStoreUrl });
}

/** A log for a thread beside the one that has the settings' log open. */
export interface FollowedLog {
  readonly log: LogReader;
  /** The other thread says where its log's head is. */
  headIs(position: Position): void;
}

/** The embedded log is told how far it is written; a client of EventStoreDB sees for itself. @throws LogUnavailable */
export async function followEventLog({ dataDir, eventStoreUrl }: LogSettings): Promise<FollowedLog> {
  if (eventStoreUrl === null) {
    const { followSqliteEventLog } = await import('./sqlite/sqlite-event-log.ts');
    const log = followSqliteEventLog({ directory: dataDir });
    return { log, headIs: (position) => log.committed(null, position) };
  }
  const { openEventStoreLog } = await import('./eventstoredb/eventstore-log.ts');
  return { log: await openEventStoreLog({ connectionString: eventStoreUrl }), headIs: () => undefined };
}
