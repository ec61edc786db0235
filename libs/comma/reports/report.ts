import type { ReportEvent, ReportStatus } from './events.ts';

/** A report as its stream tells it, as far as decisions need it. */
export type Report = { readonly status: 'none' } | LiveReport;

export interface LiveReport {
  readonly status: ReportStatus;
  readonly id: string;
  readonly workspace: string;
  readonly title: string;
  readonly body: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Revision-free: what a comment's id says of it. */
  readonly comments: ReadonlyMap<string, { readonly resolved: boolean }>;
}

export const noReport: Report = { status: 'none' };

export function evolve(report: Report, event: ReportEvent): Report {
  if (event.type === 'ReportCreated') {
    const { id, workspace, title, body, status, at } = event.data;
    return { status, id, workspace, title, body, createdAt: at, updatedAt: at, comments: new Map() };
  }
  if (report.status === 'none') throw new Error(`${event.type} before ReportCreated`);
  switch (event.type) {
    case 'ReportUpdated': {
      const { title, body, status, at } = event.data;
      return { ...report, title, body, status, updatedAt: at };
    }
    case 'CommentAdded':
    case 'CommentReplied':
      return { ...report, comments: new Map(report.comments).set(event.data.comment, { resolved: false }) };
    case 'CommentResolved':
      return { ...report, comments: new Map(report.comments).set(event.data.comment, { resolved: true }) };
    default:
      return unknownEvent(event);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown report event ${(event as { type: string }).type}`);
}
