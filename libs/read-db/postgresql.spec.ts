import { readModelsContract } from '../../test/contract/read-models.contract.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import { openReadDb } from './read-db.ts';

readModelsContract('PostgreSQL', async () => {
  const { url, stop } = await startPostgres('read models');
  return { open: () => openReadDb({ databaseUrl: url }), stop };
});
