import { join } from 'node:path';
import type { Settings } from '../settings/settings.ts';
import type { AssetStore } from './asset-store.ts';
import { FolderAssetStore } from './folder/folder-store.ts';
import { S3AssetStore } from './s3/s3-store.ts';

/** The store the settings name; `DATA_DIR/assets` when they name none. */
export function openAssetStore({ assets, dataDir }: Pick<Settings, 'assets' | 'dataDir'>): AssetStore {
  switch (assets?.kind) {
    case undefined:
      return new FolderAssetStore(join(dataDir, 'assets'));
    case 'folder':
      return new FolderAssetStore(assets.path);
    case 's3':
      return new S3AssetStore(assets, join(dataDir, 'assets'));
    default:
      return unknownPlace(assets);
  }
}

function unknownPlace(place: never): never {
  throw new Error(`unknown place for assets ${JSON.stringify(place)}`);
}
