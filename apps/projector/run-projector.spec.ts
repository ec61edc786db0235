import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadCatalogues } from '../../libs/catalogue/load-catalogues.ts';
import { found } from '../../libs/founding/founding.ts';
import { createLogger } from '../../libs/logging/logger.ts';
import { openSealedLog } from '../../libs/privacy/open-sealed-log.ts';
import { startProjection } from '../../libs/projection/runner.ts';
import { openReadDb } from '../../libs/read-db/read-db.ts';
import { readSettings, type Settings } from '../../libs/settings/settings.ts';
import { tokens } from '../../projections/tokens/tokens.projection.ts';
import { EventStoreDouble } from '../../test/doubles/eventstoredb/server.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import { runProjector } from './run-projector.ts';

describe('a projector', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-projector-'));
  const ending: (() => Promise<unknown>)[] = [];
  const quiet = createLogger({ write: () => undefined });
  let settings: Settings;

  beforeAll(async () => {
    const double = new EventStoreDouble();
    await double.start();
    ending.push(async () => double.stop());
    const postgres = await startPostgres('projector');
    ending.push(() => postgres.stop());
    settings = readSettings({
      EVENTSTORE_URL: double.connectionString,
      DATABASE_URL: postgres.url,
      PERSON_KEYS_URL: postgres.url,
      REDIS_URL: 'redis://127.0.0.1:1',
      ASSETS_URL: `file://${dataDir}/assets`,
      DATA_DIR: dataDir,
    });
  }, 300_000);
  afterAll(async () => {
    for (const end of ending.toReversed()) await end();
    rmSync(dataDir, { recursive: true });
  }, 60_000);

  it('P6 leads and rebuilds for a server that only reads, and hands over to the one that stands by', async () => {
    const { log, close } = await openSealedLog(settings);
    ending.push(close);
    await found(log, loadCatalogues(null), dataDir, Date.now);
    const readDb = await openReadDb({ databaseUrl: settings.databaseUrl ?? '' });
    ending.push(() => readDb.close());
    const [first, second] = [new AbortController(), new AbortController()];
    const leading = runProjector(settings, quiet, first.signal);
    const standingBy = runProjector(settings, quiet, second.signal);
    const server = await startProjection({ log, readDb, projection: tokens, lead: false });
    ending.push(() => server.stop());
    const head = (await log.head()) ?? 0;
    expect(await server.waitFor(head, 60_000)).toBe(true);
    expect((await server.status()).leading).toBe(false);
    await server.rebuild(false);
    while ((await server.status()).rebuild !== null) await new Promise((resolve) => setTimeout(resolve, 100));
    first.abort();
    await leading;
    await server.rebuild(false);
    while ((await server.status()).rebuild !== null) await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await server.status()).position).toBeGreaterThanOrEqual(head);
    second.abort();
    await standingBy;
  }, 180_000);

  it('is refused where one process does it all', async () => {
    const embedded = readSettings({ DATA_DIR: dataDir });
    await expect(runProjector(embedded, quiet, new AbortController().signal)).rejects.toThrow(/EVENTSTORE_URL/);
  });
});
