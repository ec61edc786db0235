import type { AssetEvent, AssetUploaded } from './events.ts';

/** An asset as its stream tells it. */
export type Asset = { readonly status: 'none' } | KnownAsset;

export interface KnownAsset extends AssetFacts {
  readonly status: 'kept';
  readonly annotations: number;
}

type AssetFacts = AssetUploaded['data'];

export const noAsset: Asset = { status: 'none' };

export function evolve(asset: Asset, event: AssetEvent): Asset {
  if (event.type === 'AssetUploaded') return { status: 'kept', ...event.data, annotations: 0 };
  if (asset.status === 'none') throw new Error(`${event.type} before AssetUploaded`);
  return { ...asset, annotations: asset.annotations + 1 };
}
