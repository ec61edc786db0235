import { openReadDb } from '../../libs/read-db/read-db.ts';
import { auditContract } from '../../test/contract/audit.contract.ts';
import { startPostgres } from '../../test/support/postgres.ts';

auditContract('PostgreSQL', async () => {
  const { url, stop } = await startPostgres('audit trail');
  return { open: () => openReadDb({ databaseUrl: url }), stop };
});
