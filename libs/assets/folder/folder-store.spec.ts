import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assetStoreContract } from '../../../test/contract/asset-store.contract.ts';
import { FolderAssetStore } from './folder-store.ts';

assetStoreContract('folder', async () => {
  const root = await mkdtemp(join(tmpdir(), 'writ-assets-'));
  const files = async (): Promise<string[]> =>
    (await readdir(root, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  return {
    store: new FolderAssetStore(root),
    kept: async () => (await files()).length,
    damage: async () => {
      const [file = ''] = await files();
      const bytes = await readFile(file);
      bytes[0]! ^= 1;
      await writeFile(file, bytes);
    },
    // A file where the folder was: even root cannot use that.
    breakDown: async () => {
      await rm(root, { recursive: true });
      await writeFile(root, '');
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
});
