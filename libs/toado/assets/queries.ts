import { Query } from '@nestjs/cqrs';
import type { By } from '../../person/actor.ts';
import type { Page, PageAsked } from '../../read-db/page.ts';
import type { Reach } from '../reach.ts';
import type { Shape } from './events.ts';

/** What can be asked of assets; answered in projections/toado. */

export interface AssetView {
  readonly id: string;
  readonly ticket: string;
  readonly name: string;
  readonly media_type: string;
  readonly length_bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** Revision of its stream, annotations included: its ETag. */
  readonly version: number;
  /** Who uploaded it. */
  readonly by: By;
  readonly created_at: string;
}

export interface AnnotationView {
  readonly id: string;
  readonly asset: string;
  readonly shape: Shape;
  readonly text: string;
  readonly by: By;
  readonly created_at: string;
}

/** Newest first; null: no such ticket within reach. */
export class ListAssets extends Query<Page<AssetView> | null> {
  constructor(readonly request: PageAsked & { readonly reach: Reach; readonly ticket: string }) {
    super();
  }
}

export interface FoundAsset {
  readonly asset: AssetView;
  /** Where its bytes lie in the store. */
  readonly place: string;
}

/** Null: not there, or out of reach. */
export class GetAsset extends Query<FoundAsset | null> {
  constructor(readonly request: { readonly reach: Reach; readonly id: string; readonly nowMs: number }) {
    super();
  }
}

/** Newest first; null: no such asset within reach. */
export class ListAnnotations extends Query<Page<AnnotationView> | null> {
  constructor(readonly request: PageAsked & { readonly reach: Reach; readonly asset: string }) {
    super();
  }
}
