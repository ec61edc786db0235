import { personKeysContract } from '../../../test/contract/person-keys.contract.ts';
import { startPostgres } from '../../../test/support/postgres.ts';
import { PostgresqlKeyStore } from './postgresql-key-store.ts';

personKeysContract('PostgreSQL', async () => {
  const { url, stop } = await startPostgres('keys of people’s data');
  return { open: () => PostgresqlKeyStore.open(url), dispose: stop };
});
