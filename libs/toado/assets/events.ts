/**
 * A file attached to a ticket, and the annotations on it, in stream `asset-<id>`. A stream of its own: who works on the
 * ticket is not in the way of who draws on a screenshot. Where it lies is where its ticket lies. Times are RFC 3339.
 */
export type AssetEvent = AssetUploaded | AssetAnnotated | AnnotationRemoved | AssetRemoved;

export interface AssetUploaded {
  readonly type: 'AssetUploaded';
  readonly data: {
    readonly id: string;
    readonly workspace: string;
    readonly ticket: string;
    readonly name: string;
    /** What its bytes say it is. */
    readonly media_type: string;
    /** Hex. */
    readonly sha256: string;
    /** Where its bytes lie in the store of assets; absent: under their hash, maybe with others'. */
    readonly place?: string;
    readonly length_bytes: number;
    readonly at: string;
  };
}

export interface AssetAnnotated {
  readonly type: 'AssetAnnotated';
  readonly data: {
    readonly annotation: string;
    readonly shape: Shape;
    readonly text: string;
    readonly at: string;
  };
}

export interface AnnotationRemoved {
  readonly type: 'AnnotationRemoved';
  readonly data: { readonly annotation: string; readonly at: string };
}

/** With its annotations; who did it is told by the event's actor. */
export interface AssetRemoved {
  readonly type: 'AssetRemoved';
  readonly data: { readonly at: string };
}

/** In fractions of width and height, from the upper left corner. A point has no extent. */
export type Shape =
  | { readonly kind: 'point'; readonly x: number; readonly y: number }
  | { readonly kind: 'box'; readonly x: number; readonly y: number; readonly width: number; readonly height: number };

export const ASSET_PREFIX = 'asset-';
export const assetStream = (id: string): string => `${ASSET_PREFIX}${id}`;
