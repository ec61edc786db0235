import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rebuildContract } from '../../test/contract/rebuild.contract.ts';
import { openReadDb } from '../read-db/read-db.ts';

rebuildContract('PGlite', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'writ-rebuild-'));
  return { open: () => openReadDb({ directory }), stop: () => rm(directory, { recursive: true }) };
});
