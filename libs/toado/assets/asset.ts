import type { AssetEvent, AssetUploaded } from './events.ts';

/** An asset as its stream tells it. */
export type Asset = { readonly status: 'none' } | KnownAsset;

export interface KnownAsset extends AssetFacts {
  readonly status: 'kept' | 'removed';
  readonly place: string;
  /** By id: whether it still stands. */
  readonly annotations: ReadonlyMap<string, boolean>;
}

type AssetFacts = AssetUploaded['data'];

export const noAsset: Asset = { status: 'none' };

export function evolve(asset: Asset, event: AssetEvent): Asset {
  if (event.type === 'AssetUploaded') {
    const { place = event.data.sha256 } = event.data;
    return { status: 'kept', ...event.data, place, annotations: new Map() };
  }
  if (asset.status === 'none') throw new Error(`${event.type} before AssetUploaded`);
  switch (event.type) {
    case 'AssetAnnotated':
      return { ...asset, annotations: new Map(asset.annotations).set(event.data.annotation, true) };
    case 'AnnotationRemoved':
      return { ...asset, annotations: new Map(asset.annotations).set(event.data.annotation, false) };
    case 'AssetRemoved':
      return { ...asset, status: 'removed' };
    default:
      return unknownEvent(event);
  }
}

/** How many annotations stand. */
export function standing({ annotations }: KnownAsset): number {
  let count = 0;
  for (const stands of annotations.values()) if (stands) count++;
  return count;
}

function unknownEvent(event: never): never {
  throw new Error(`unknown asset event ${(event as { type: string }).type}`);
}
