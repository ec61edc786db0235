import { type Decider, type Refused, refuse } from '../../event-log/decide-and-append.ts';
import type { ReportEvent, ReportStatus } from './events.ts';
import { evolve, type LiveReport, noReport, type Report } from './report.ts';

/** `workspace` is the caller's: what lies in another is not there (P13). `at` is RFC 3339. */
export type ReportCommand = CreateReport | UpdateReport | AddComment | ReplyToComment | ResolveComment;

export interface CreateReport {
  readonly type: 'CreateReport';
  readonly id: string;
  readonly workspace: string;
  readonly title: string;
  readonly body: string;
  readonly status: ReportStatus;
  readonly at: string;
}

export interface UpdateReport {
  readonly type: 'UpdateReport';
  readonly workspace: string;
  readonly title?: string;
  readonly body?: string;
  readonly status?: ReportStatus;
  readonly at: string;
}

export interface AddComment {
  readonly type: 'AddComment';
  readonly workspace: string;
  readonly comment: string;
  readonly body: string;
  readonly at: string;
}

export interface ReplyToComment {
  readonly type: 'ReplyToComment';
  readonly workspace: string;
  readonly comment: string;
  readonly parent: string;
  readonly body: string;
  readonly at: string;
}

export interface ResolveComment {
  readonly type: 'ResolveComment';
  readonly workspace: string;
  readonly comment: string;
  readonly at: string;
}

export type ReportRefusal =
  { readonly code: 'report_not_found' } | { readonly code: 'comment_not_found' } | { readonly code: 'exists' };

type Decision = readonly ReportEvent[] | Refused<ReportRefusal>;

export function decide(command: ReportCommand, report: Report): Decision {
  if (command.type === 'CreateReport') {
    if (report.status !== 'none') return refuse({ code: 'exists' });
    const { id, workspace, title, body, status, at } = command;
    return [{ type: 'ReportCreated', data: { id, workspace, title, body, status, at } }];
  }
  if (report.status === 'none' || report.workspace !== command.workspace) return refuse({ code: 'report_not_found' });
  return decideExisting(command, report);
}

function decideExisting(command: Exclude<ReportCommand, CreateReport>, report: LiveReport): Decision {
  const { at } = command;
  switch (command.type) {
    case 'UpdateReport': {
      const title = command.title ?? report.title;
      const body = command.body ?? report.body;
      const status = command.status ?? report.status;
      const unchanged = title === report.title && body === report.body && status === report.status;
      return unchanged ? [] : [{ type: 'ReportUpdated', data: { title, body, status, at } }];
    }
    case 'AddComment':
      return [{ type: 'CommentAdded', data: { comment: command.comment, body: command.body, at } }];
    case 'ReplyToComment':
      if (!report.comments.has(command.parent)) return refuse({ code: 'comment_not_found' });
      return [
        {
          type: 'CommentReplied',
          data: { comment: command.comment, parent: command.parent, body: command.body, at },
        },
      ];
    case 'ResolveComment': {
      const comment = report.comments.get(command.comment);
      if (comment === undefined) return refuse({ code: 'comment_not_found' });
      return comment.resolved ? [] : [{ type: 'CommentResolved', data: { comment: command.comment, at } }];
    }
    default:
      return unknownCommand(command);
  }
}

function unknownCommand(command: never): never {
  throw new Error(`unknown report command ${(command as { type: string }).type}`);
}

export const reportDecider: Decider<ReportCommand, Report, ReportEvent, ReportRefusal> = {
  initialState: noReport,
  decide,
  evolve,
};
