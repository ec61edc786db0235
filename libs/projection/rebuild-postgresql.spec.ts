import { rebuildContract } from '../../test/contract/rebuild.contract.ts';
import { startCuttingProxy } from '../../test/support/cutting-proxy.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import { openReadDb } from '../read-db/read-db.ts';

rebuildContract('PostgreSQL', async () => {
  const { url, stop } = await startPostgres('rebuilding');
  const { hostname, port } = new URL(url);
  const proxy = await startCuttingProxy({ host: hostname, port: Number(port || 5432) });
  const throughProxy = new URL(url);
  throughProxy.host = `127.0.0.1:${proxy.port}`;
  return {
    open: () => openReadDb({ databaseUrl: url }),
    breakable: { proxy, open: () => openReadDb({ databaseUrl: throughProxy.href }) },
    async stop() {
      await proxy.close();
      await stop();
    },
  };
});
