import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Actor } from '../../libs/person/actor.ts';
import type { Person } from '../../libs/person/person.ts';
import { actorOf } from '../../libs/projection/actor-of.ts';
import { type Change, put, set } from '../../libs/projection/change.ts';
import type { Table } from '../../libs/projection/projection.ts';
import { TICKET_PREFIX, type TicketEvent } from '../../libs/toado/tickets/events.ts';
import { COMMENT_WORDS, TICKET_WORDS, wordIndex } from './searched.ts';

export interface TicketTables {
  tickets: {
    id: string;
    workspace: string;
    company: string;
    project: string;
    column: string;
    position: string;
    title: string;
    body: string;
    archived: boolean;
    branch: string | null;
    assignees: readonly Person[];
    version: number;
    actor: Actor;
    created_at: string;
    updated_at: string;
    /** Place of its first event in the log: the order of lists that are not of one column. */
    log_position: number;
  };
  ticket_comments: {
    id: string;
    ticket: string;
    body: string;
    actor: Actor;
    created_at: string;
    log_position: number;
  };
  ticket_activity: {
    ticket: string;
    version: number;
    type: TicketEvent['type'];
    comment: string | null;
    actor: Actor;
    at: string;
  };
}

export const ticketTables: Readonly<Record<keyof TicketTables, Table>> = {
  tickets: {
    columns: {
      id: 'text',
      workspace: 'text',
      company: 'text',
      project: 'text',
      column: 'text',
      position: 'text',
      title: 'text',
      body: 'text',
      archived: 'boolean',
      branch: 'text',
      assignees: 'jsonb',
      version: 'integer',
      actor: 'jsonb',
      created_at: 'text',
      updated_at: 'text',
      log_position: 'bigint',
    },
    primaryKey: ['id'],
    // Each list's whole WHERE, then its order: a page costs what it shows however many tickets there are, and the planner
    // needs no statistics to see it (PGlite gathers none).
    indexes: [
      '(workspace, archived, log_position desc)',
      '(workspace, company, archived, log_position desc)',
      '(workspace, project, archived, log_position desc)',
      '(workspace, company, project, archived, log_position desc)',
      '(workspace, "column", archived, position collate "C", log_position)',
      '(branch, log_position desc) where branch is not null',
      'using gin (assignees jsonb_path_ops)',
      wordIndex(TICKET_WORDS),
    ],
  },
  ticket_comments: {
    columns: {
      id: 'text',
      ticket: 'text',
      body: 'text',
      actor: 'jsonb',
      created_at: 'text',
      log_position: 'bigint',
    },
    primaryKey: ['id'],
    indexes: ['(ticket, log_position desc)', wordIndex(COMMENT_WORDS)],
  },
  ticket_activity: {
    columns: { ticket: 'text', version: 'integer', type: 'text', comment: 'text', actor: 'jsonb', at: 'text' },
    primaryKey: ['ticket', 'version'],
  },
};

export function applyTicket(event: RecordedEvent & TicketEvent): readonly Change[] {
  const ticket = event.stream.slice(TICKET_PREFIX.length);
  const comment = event.type === 'TicketCommented' ? event.data.comment : null;
  const activity = { ticket, version: event.revision, type: event.type, comment };
  return [
    ...applyToTicket(ticket, event),
    put('ticket_activity', { ...activity, actor: actorOf(event), at: event.data.at }),
  ];
}

function applyToTicket(id: string, event: RecordedEvent & TicketEvent): readonly Change[] {
  const { at } = event.data;
  const { revision: version, position: log_position } = event;
  const actor = actorOf(event);
  const written = { version, actor, updated_at: at };
  const changed = (values: object): readonly Change[] => [set('tickets', { id }, { ...values, ...written })];
  switch (event.type) {
    case 'TicketCreated': {
      const { at: created_at, ...facts } = event.data;
      return [put('tickets', { ...facts, archived: false, ...written, created_at, log_position })];
    }
    case 'TicketUpdated': {
      const { title, body } = event.data;
      return changed({ title, body });
    }
    case 'TicketMoved': {
      const { company, project, column, position } = event.data;
      return changed({ company, project, column, position });
    }
    case 'TicketArchived':
      return changed({ archived: true });
    case 'TicketRestored': {
      const { column, position } = event.data;
      return changed({ archived: false, column, position });
    }
    case 'TicketBranchRecorded':
      return changed({ branch: event.data.branch });
    case 'TicketAssigned':
      return changed({ assignees: event.data.assignees });
    case 'TicketCommented': {
      const { comment, body } = event.data;
      const row = { id: comment, ticket: id, body, actor, created_at: at, log_position };
      return [put('ticket_comments', row), set('tickets', { id }, { version })];
    }
    default:
      return unknownEvent(event);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown ticket event ${(event as RecordedEvent).type}`);
}
