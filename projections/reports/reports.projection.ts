import { REPORT_PREFIX, type ReportEvent, type ReportStatus } from '../../libs/comma/reports/events.ts';
import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Actor } from '../../libs/person/actor.ts';
import { actorOf } from '../../libs/projection/actor-of.ts';
import { type Change, put, set } from '../../libs/projection/change.ts';
import type { Projection } from '../../libs/projection/projection.ts';

export interface ReportTables {
  reports: {
    id: string;
    workspace: string;
    title: string;
    body: string;
    status: ReportStatus;
    version: number;
    actor: Actor;
    created_at: string;
    updated_at: string;
    /** Of its first event: the order of the list. */
    position: number;
  };
  comments: {
    report: string;
    id: string;
    body: string;
    parent: string | null;
    resolved: boolean;
    actor: Actor;
    created_at: string;
    position: number;
  };
  activity: {
    report: string;
    version: number;
    type: ReportEvent['type'];
    comment: string | null;
    actor: Actor;
    at: string;
  };
}

/** Reports with their comments and activity. The last writer is kept as the event's actor, whole. */
export const reports: Projection = {
  name: 'reports',
  version: 1,
  streamPrefixes: [REPORT_PREFIX],
  tables: {
    reports: {
      columns: {
        id: 'text',
        workspace: 'text',
        title: 'text',
        body: 'text',
        status: 'text',
        version: 'integer',
        actor: 'jsonb',
        created_at: 'text',
        updated_at: 'text',
        position: 'bigint',
      },
      primaryKey: ['id'],
      indexes: ['(workspace, position desc)', '(workspace, status, position desc)'],
    },
    comments: {
      columns: {
        report: 'text',
        id: 'text',
        body: 'text',
        parent: 'text',
        resolved: 'boolean',
        actor: 'jsonb',
        created_at: 'text',
        position: 'bigint',
      },
      primaryKey: ['id'],
      indexes: ['(report, position desc)'],
    },
    activity: {
      columns: { report: 'text', version: 'integer', type: 'text', comment: 'text', actor: 'jsonb', at: 'text' },
      primaryKey: ['report', 'version'],
    },
  },
  apply(recorded) {
    const event = recorded as RecordedEvent & ReportEvent;
    const report = event.stream.slice(REPORT_PREFIX.length);
    const actor = actorOf(event);
    const { position, revision: version } = event;
    const { at } = event.data;
    const activity = (comment: string | null): Change =>
      put('activity', { report, version, type: event.type, comment, actor, at });
    const versionOnly = set('reports', { id: report }, { version });
    switch (event.type) {
      case 'ReportCreated': {
        const { workspace, title, body, status } = event.data;
        const times = { created_at: at, updated_at: at };
        return [
          put('reports', { id: report, workspace, title, body, status, version, actor, ...times, position }),
          activity(null),
        ];
      }
      case 'ReportUpdated': {
        const { title, body, status } = event.data;
        return [
          set('reports', { id: report }, { title, body, status, version, actor, updated_at: at }),
          activity(null),
        ];
      }
      case 'CommentAdded':
      case 'CommentReplied': {
        const { comment: id, body } = event.data;
        const parent = event.type === 'CommentReplied' ? event.data.parent : null;
        const row = { report, id, body, parent, resolved: false, actor, created_at: at, position };
        return [put('comments', row), versionOnly, activity(id)];
      }
      case 'CommentResolved': {
        const { comment } = event.data;
        return [set('comments', { id: comment }, { resolved: true }), versionOnly, activity(comment)];
      }
      default:
        return unknownEvent(event);
    }
  },
};

function unknownEvent(event: never): never {
  throw new Error(`unknown report event ${(event as RecordedEvent).type}`);
}
