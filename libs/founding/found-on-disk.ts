import { existsSync } from 'node:fs';
import { loadCatalogues } from '../catalogue/load-catalogues.ts';
import type { EventLog } from '../event-log/event-log.ts';
import { openEventLog } from '../event-log/open-event-log.ts';
import type { Settings } from '../settings/settings.ts';
import { makeFirstKey, signingKeyIn } from '../transparency/signing-key.ts';
import { type Founded, found, NotFounded, recover } from './founding.ts';

/** Founding and recovering without a server: on the log the settings name, which nobody else may have open (LogInUse). */

type Place = Pick<Settings, 'dataDir' | 'cataloguesFolder' | 'eventStoreUrl'>;

/** The key that signs the log is made with its world; processes that share the log are given it (SIGNING_KEY_FILE). */
type FoundedPlace = Place & Pick<Settings, 'signingKeyFile'>;

export async function foundOnDisk(
  { dataDir, cataloguesFolder, eventStoreUrl, signingKeyFile }: FoundedPlace,
  now: () => number,
): Promise<Founded> {
  const catalogues = loadCatalogues(cataloguesFolder);
  return withLog({ dataDir, eventStoreUrl }, async (log) => {
    const founded = await found(log, catalogues, dataDir, now);
    makeFirstKey(signingKeyFile ?? signingKeyIn(dataDir), await log.id());
    return founded;
  });
}

/** @throws NotFounded; a folder that is not there is left so, since it is most likely misspelt */
export async function recoverOnDisk(
  { dataDir, cataloguesFolder, eventStoreUrl }: Place,
  now: () => number,
): Promise<{ readonly tokenFile: string }> {
  if (eventStoreUrl === null && !existsSync(dataDir)) throw new NotFounded(`There is no folder ${dataDir}.`);
  const catalogues = loadCatalogues(cataloguesFolder);
  return withLog({ dataDir, eventStoreUrl }, (log) => recover(log, catalogues, dataDir, now));
}

async function withLog<Result>(
  place: Omit<Place, 'cataloguesFolder'>,
  act: (log: EventLog) => Promise<Result>,
): Promise<Result> {
  const log = await openEventLog(place);
  try {
    return await act(log);
  } finally {
    await log.close();
  }
}
