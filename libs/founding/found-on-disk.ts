import { existsSync } from 'node:fs';
import { loadCatalogues } from '../catalogue/load-catalogues.ts';
import type { EventLog } from '../event-log/event-log.ts';
import { openSqliteEventLog } from '../event-log/sqlite/sqlite-event-log.ts';
import type { Settings } from '../settings/settings.ts';
import { type Founded, found, NotFounded, recover } from './founding.ts';

/** Founding and recovering without a server: on the log the settings name, which nobody else may have open (LogInUse). */

type Place = Pick<Settings, 'dataDir' | 'cataloguesFolder'>;

export async function foundOnDisk({ dataDir, cataloguesFolder }: Place, now: () => number): Promise<Founded> {
  const catalogues = loadCatalogues(cataloguesFolder);
  return withLog(dataDir, (log) => found(log, catalogues, dataDir, now));
}

/** @throws NotFounded; a folder that is not there is left so, since it is most likely misspelt */
export async function recoverOnDisk(
  { dataDir, cataloguesFolder }: Place,
  now: () => number,
): Promise<{ readonly tokenFile: string }> {
  if (!existsSync(dataDir)) throw new NotFounded(`There is no folder ${dataDir}.`);
  const catalogues = loadCatalogues(cataloguesFolder);
  return withLog(dataDir, (log) => recover(log, catalogues, dataDir, now));
}

async function withLog<Result>(directory: string, act: (log: EventLog) => Promise<Result>): Promise<Result> {
  const log = await openSqliteEventLog({ directory });
  try {
    return await act(log);
  } finally {
    await log.close();
  }
}
