import { readModelsContract } from '../../test/contract/read-models.contract.ts';
import { toadoReadModelContract } from '../../test/contract/toado-read-model.contract.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import { openReadDb } from './read-db.ts';

const start = async (what: string) => {
  const { url, stop } = await startPostgres(what);
  return { open: () => openReadDb({ databaseUrl: url }), stop };
};

readModelsContract('PostgreSQL', () => start('read models'));
toadoReadModelContract('PostgreSQL', () => start('Toado’s read model'));
