import { Query } from '@nestjs/cqrs';
import type { By } from '../../person/actor.ts';
import type { Page, PageAsked } from '../../read-db/page.ts';
import type { Reach } from '../reach.ts';

/** What can be asked of projects and their columns; answered in projections/toado. */

export interface ProjectView {
  readonly id: string;
  readonly company: string;
  readonly name: string;
  /** Markdown. */
  readonly description: string;
  readonly archived: boolean;
  /** Revision of its stream, columns included: its ETag, and what `If-Match` takes. */
  readonly version: number;
  /** The last who wrote the project itself. */
  readonly by: By;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface ColumnView {
  readonly id: string;
  readonly project: string;
  readonly company: string;
  readonly name: string;
  /** Where it stands among the project's columns: texts, compared byte by byte. */
  readonly position: string;
  /** Revision of the project's stream when it was last changed. */
  readonly version: number;
  readonly by: By;
  readonly created_at: string;
  readonly updated_at: string;
}

/** Newest first. */
export class ListProjects extends Query<Page<ProjectView>> {
  constructor(
    readonly request: PageAsked & {
      readonly reach: Reach;
      readonly company?: string | undefined;
      readonly archived: boolean;
    },
  ) {
    super();
  }
}

/** Null: not there, or out of reach. */
export class GetProject extends Query<ProjectView | null> {
  constructor(readonly request: { readonly reach: Reach; readonly id: string; readonly nowMs: number }) {
    super();
  }
}

/** In their order, all of them; null: no such project within reach. */
export class ListColumns extends Query<readonly ColumnView[] | null> {
  constructor(readonly request: { readonly reach: Reach; readonly project: string; readonly nowMs: number }) {
    super();
  }
}

/** Null: not there, or out of reach. */
export class GetColumn extends Query<ColumnView | null> {
  constructor(readonly request: { readonly reach: Reach; readonly id: string; readonly nowMs: number }) {
    super();
  }
}
