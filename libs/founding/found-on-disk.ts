import { existsSync } from 'node:fs';
import { loadCatalogues } from '../catalogue/load-catalogues.ts';
import type { EventLog } from '../event-log/event-log.ts';
import { openSealedLog } from '../privacy/open-sealed-log.ts';
import type { Settings } from '../settings/settings.ts';
import { makeFirstKey, signingKeyIn } from '../transparency/signing-key.ts';
import { type Founded, found, NotFounded, recover } from './founding.ts';

/** Founding and recovering without a server: on the log the settings name, which nobody else may have open (LogInUse). */

type Place = Pick<Settings, 'dataDir' | 'cataloguesFolder' | 'eventStoreUrl' | 'personKeysUrl' | 'archiveFolder'>;

/** The key that signs the log is made with its world; processes that share the log are given it (SIGNING_KEY_FILE). */
type FoundedPlace = Place & Pick<Settings, 'signingKeyFile'>;

export async function foundOnDisk(
  { cataloguesFolder, signingKeyFile, ...place }: FoundedPlace,
  now: () => number,
): Promise<Founded> {
  const catalogues = loadCatalogues(cataloguesFolder);
  return withLog(place, async (log) => {
    const founded = await found(log, catalogues, place.dataDir, now);
    makeFirstKey(signingKeyFile ?? signingKeyIn(place.dataDir), await log.id());
    return founded;
  });
}

/** @throws NotFounded; a folder that is not there is left so, since it is most likely misspelt */
export async function recoverOnDisk(
  { cataloguesFolder, ...place }: Place,
  now: () => number,
): Promise<{ readonly tokenFile: string }> {
  if (place.eventStoreUrl === null && !existsSync(place.dataDir))
    throw new NotFounded(`There is no folder ${place.dataDir}.`);
  const catalogues = loadCatalogues(cataloguesFolder);
  return withLog(place, (log) => recover(log, catalogues, place.dataDir, now));
}

async function withLog<Result>(
  place: Omit<Place, 'cataloguesFolder'>,
  act: (log: EventLog) => Promise<Result>,
): Promise<Result> {
  const opened = await openSealedLog(place);
  try {
    return await act(opened.log);
  } finally {
    await opened.close();
  }
}
