import { Query } from '@nestjs/cqrs';
import type { By } from '../../person/actor.ts';
import type { Page, PageAsked } from '../../read-db/page.ts';
import type { ReportEvent, ReportStatus } from './events.ts';

/** What can be asked of reports; answered in projections/reports. Shapes are those of DESIGN §5. */

export interface ReportView {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly status: ReportStatus;
  /** Revision of its stream, comments included: its ETag, and what `If-Match` takes. */
  readonly version: number;
  /** The last who wrote the report itself. */
  readonly by: By;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface CommentView {
  readonly id: string;
  readonly body: string;
  /** The comment this one replies to. */
  readonly parent: string | null;
  readonly resolved: boolean;
  readonly by: By;
  readonly created_at: string;
}

/** A comment asked for by its id alone: its report too. */
export interface FoundComment extends CommentView {
  readonly report: string;
}

export interface ActivityView {
  readonly type: ReportEvent['type'];
  readonly version: number;
  /** The comment it is about; null: the report itself. */
  readonly comment: string | null;
  readonly by: By;
}

/** One list's part: newest first. */
type PageRequest = PageAsked & { readonly workspace: string };

export class ListReports extends Query<Page<ReportView>> {
  constructor(readonly request: PageRequest & { readonly status?: ReportStatus | undefined }) {
    super();
  }
}

/** Null: not there, or of another workspace. */
export class GetReport extends Query<ReportView | null> {
  constructor(readonly request: { readonly workspace: string; readonly id: string; readonly nowMs: number }) {
    super();
  }
}

/** Null: no such report in the workspace. */
export class ListComments extends Query<Page<CommentView> | null> {
  constructor(readonly request: PageRequest & { readonly report: string }) {
    super();
  }
}

export class GetComment extends Query<FoundComment | null> {
  constructor(readonly request: { readonly workspace: string; readonly id: string; readonly nowMs: number }) {
    super();
  }
}

/** Null: no such report in the workspace. */
export class ListActivity extends Query<Page<ActivityView> | null> {
  constructor(readonly request: PageRequest & { readonly report: string }) {
    super();
  }
}
