import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type EventLog, type LogReader, LogUnavailable } from '../event-log/event-log.ts';
import { type FollowedLog, followEventLog, openEventLog } from '../event-log/open-event-log.ts';
import type { Settings } from '../settings/settings.ts';
import { ArchivedLog, ArchivedLogReader } from './archived-log.ts';
import { Archives } from './archives.ts';
import { RETENTION_STREAM, type UsageArchived } from './events.ts';

/** Where log and archives are. */
export type ArchivedLogPlace = Pick<Settings, 'dataDir' | 'eventStoreUrl' | 'archiveFolder'>;

/** The log the settings name, with what it let go of. @throws LogInUse, LogUnavailable: an archive is missing */
export async function openArchivedLog(place: ArchivedLogPlace): Promise<EventLog> {
  const log = await openEventLog(place);
  return await closingUnless(log, async () => new ArchivedLog(log, await archivesOf(log, place)));
}

/** The same for a thread beside the one that has it open, which reads only. @throws LogUnavailable */
export async function followArchivedLog(place: ArchivedLogPlace): Promise<FollowedLog> {
  const { log, headIs } = await followEventLog(place);
  return await closingUnless(log, async () => ({
    log: new ArchivedLogReader(log, await archivesOf(log, place)),
    headIs,
  }));
}

/** Null where processes that share a log were given no folder to share. */
export const archiveFolderOf = ({ dataDir, eventStoreUrl, archiveFolder }: ArchivedLogPlace): string | null =>
  archiveFolder ?? (eventStoreUrl === null ? join(dataDir, 'archives') : null);

/** All that the log says it archived must be there: without it, history would have holes. */
async function archivesOf(log: LogReader, place: ArchivedLogPlace): Promise<Archives> {
  const folder = archiveFolderOf(place);
  for await (const { type, data } of log.readStream(RETENTION_STREAM)) {
    if (type !== 'UsageArchived') continue;
    const { file, bytes } = data as UsageArchived['data'];
    if (folder === null) throw new LogUnavailable(`The log has archives: ARCHIVE_FOLDER must name where ${file} is.`);
    const found = statSync(join(folder, file), { throwIfNoEntry: false })?.size;
    if (found === bytes) continue;
    throw new LogUnavailable(
      `The archive ${join(folder, file)} ${found === undefined ? 'is missing' : `has ${found} bytes, not ${bytes}`}. Restore it from its back-up.`,
    );
  }
  const archives = new Archives(folder ?? join(place.dataDir, 'archives'), await log.id());
  archives.all();
  return archives;
}

async function closingUnless<T>(log: LogReader, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await log.close();
    throw error;
  }
}
