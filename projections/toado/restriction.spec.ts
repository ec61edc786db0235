import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openReadDb } from '../../libs/read-db/read-db.ts';
import { restrictionContract } from '../../test/contract/restriction.contract.ts';
import { startPostgres } from '../../test/support/postgres.ts';

restrictionContract('PGlite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-restriction-'));
  const db = await openReadDb({ directory: join(folder, 'read') });
  return { ...db, stop: async () => rmSync(folder, { recursive: true, force: true }) };
});

restrictionContract('PostgreSQL', async () => {
  const postgres = await startPostgres('what a restricted token sees');
  const db = await openReadDb({ databaseUrl: postgres.url });
  return { ...db, stop: () => postgres.stop() };
});
