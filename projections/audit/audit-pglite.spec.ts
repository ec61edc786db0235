import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openReadDb } from '../../libs/read-db/read-db.ts';
import { auditContract } from '../../test/contract/audit.contract.ts';

auditContract('PGlite', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'writ-audit-'));
  return { open: () => openReadDb({ directory }), stop: () => rm(directory, { recursive: true }) };
});
