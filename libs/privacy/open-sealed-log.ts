import type { EventLog, LogReader } from '../event-log/event-log.ts';
import type { FollowedLog } from '../event-log/open-event-log.ts';
import { followArchivedLog, openArchivedLog } from '../retention/open-archived-log.ts';
import type { Settings } from '../settings/settings.ts';
import { FOUNDING_STREAM } from '../founding/founding.ts';
import { PersonKeys } from './person-keys.ts';
import type { PersonKeyStore } from './person-key-store.ts';
import { sealedIn } from './sealed-event.ts';
import { SealedLog, SealedLogReader } from './sealed-log.ts';

/** Where log and keys are. */
export type LogPlace = Pick<Settings, 'dataDir' | 'eventStoreUrl' | 'personKeysUrl' | 'archiveFolder'>;

export interface OpenedLog {
  readonly log: EventLog;
  readonly keys: PersonKeys;
  close(): Promise<void>;
}

/** The log the settings name, with the keys of its people. @throws LogInUse, LogUnavailable; Error: no keys there */
export async function openSealedLog(place: LogPlace): Promise<OpenedLog> {
  const stored = await openArchivedLog(place);
  try {
    const keys = await openPersonKeys(place);
    await requireKeysOf(stored, keys).catch(async (error: unknown) => {
      await keys.close();
      throw error;
    });
    const log = new SealedLog(stored, keys);
    return {
      log,
      keys,
      async close() {
        await log.close();
        await keys.close();
      },
    };
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/** The same for a thread beside the one that has it open, which reads only. @throws LogUnavailable; Error: no keys there */
export async function followSealedLog(place: LogPlace): Promise<FollowedLog & Pick<OpenedLog, 'close'>> {
  const { log: stored, headIs } = await followArchivedLog(place);
  const keys = await openPersonKeys(place);
  const log: LogReader = new SealedLogReader(stored, keys);
  return {
    log,
    headIs,
    async close() {
      await log.close();
      await keys.close();
    },
  };
}

/** The store holds keys of other people, or none: that of another log, or one that was lost. */
export class KeysMissing extends Error {
  override readonly name = 'KeysMissing';
}

/** Whoever founded the log has a key, or was erased. @throws KeysMissing */
async function requireKeysOf(stored: EventLog, keys: PersonKeys): Promise<void> {
  for await (const event of stored.readStream(FOUNDING_STREAM, { limit: 1 })) {
    for (const { person, key: name } of sealedIn(event)) {
      await keys.find([person]);
      const key = keys.known(person);
      if (key === null || key?.id === name) continue;
      throw new KeysMissing('The keys of people’s data are not those of this log. Restore them from their back-up.');
    }
  }
}

/** @throws Error when they cannot be opened */
const openPersonKeys = async (place: Pick<LogPlace, 'dataDir' | 'personKeysUrl'>): Promise<PersonKeys> =>
  new PersonKeys(await openStore(place));

/** The driver of the other is not even loaded. */
async function openStore({
  dataDir,
  personKeysUrl,
}: Pick<LogPlace, 'dataDir' | 'personKeysUrl'>): Promise<PersonKeyStore> {
  if (personKeysUrl === null) {
    const { SqliteKeyStore } = await import('./sqlite/sqlite-key-store.ts');
    return new SqliteKeyStore(dataDir);
  }
  const { PostgresqlKeyStore } = await import('./postgresql/postgresql-key-store.ts');
  return await PostgresqlKeyStore.open(personKeysUrl);
}
