import { rebuildContract } from '../../test/contract/rebuild.contract.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import { openReadDb } from '../read-db/read-db.ts';

rebuildContract('PostgreSQL', async () => {
  const { url, stop } = await startPostgres('rebuilding');
  return { open: () => openReadDb({ databaseUrl: url }), stop };
});
