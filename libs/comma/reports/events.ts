/** A report and its comments, in stream `report-<id>`. Who wrote is the event's actor, in its metadata. */
export type ReportEvent = ReportCreated | ReportUpdated | CommentAdded | CommentReplied | CommentResolved;

export type ReportStatus = 'draft' | 'published';

export interface ReportCreated {
  readonly type: 'ReportCreated';
  readonly data: {
    readonly id: string;
    readonly workspace: string;
    readonly title: string;
    readonly body: string;
    readonly status: ReportStatus;
    readonly at: string;
  };
}

/** Holds the whole report as it is afterwards. */
export interface ReportUpdated {
  readonly type: 'ReportUpdated';
  readonly data: {
    readonly title: string;
    readonly body: string;
    readonly status: ReportStatus;
    readonly at: string;
  };
}

export interface CommentAdded {
  readonly type: 'CommentAdded';
  readonly data: { readonly comment: string; readonly body: string; readonly at: string };
}

export interface CommentReplied {
  readonly type: 'CommentReplied';
  readonly data: { readonly comment: string; readonly parent: string; readonly body: string; readonly at: string };
}

export interface CommentResolved {
  readonly type: 'CommentResolved';
  readonly data: { readonly comment: string; readonly at: string };
}

export const REPORT_PREFIX = 'report-';
export const reportStream = (id: string): string => `${REPORT_PREFIX}${id}`;
