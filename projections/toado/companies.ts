import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Actor } from '../../libs/person/actor.ts';
import { actorOf } from '../../libs/projection/actor-of.ts';
import { type Change, put, set } from '../../libs/projection/change.ts';
import type { Table } from '../../libs/projection/projection.ts';
import { COMPANY_PREFIX, type CompanyEvent } from '../../libs/toado/companies/events.ts';

export interface CompanyTables {
  companies: {
    id: string;
    workspace: string;
    name: string;
    /** Calls a minute; null: the catalogue's. */
    reads: number | null;
    writes: number | null;
    version: number;
    actor: Actor;
    created_at: string;
    updated_at: string;
    /** Place of its first event in the log: the order of the list. */
    log_position: number;
  };
}

export const companyTables: Readonly<Record<keyof CompanyTables, Table>> = {
  companies: {
    columns: {
      id: 'text',
      workspace: 'text',
      name: 'text',
      reads: 'integer',
      writes: 'integer',
      version: 'integer',
      actor: 'jsonb',
      created_at: 'text',
      updated_at: 'text',
      log_position: 'bigint',
    },
    primaryKey: ['id'],
    indexes: ['(workspace, log_position desc)'],
  },
};

export function applyCompany(event: RecordedEvent & CompanyEvent): readonly Change[] {
  const id = event.stream.slice(COMPANY_PREFIX.length);
  const { at } = event.data;
  const written = { version: event.revision, actor: actorOf(event), updated_at: at };
  switch (event.type) {
    case 'CompanyCreated': {
      const { workspace, name } = event.data;
      return [put('companies', { id, workspace, name, ...written, created_at: at, log_position: event.position })];
    }
    case 'CompanyRenamed':
      return [set('companies', { id }, { name: event.data.name, ...written })];
    case 'CompanyLimitsChanged': {
      const { reads, writes } = event.data;
      return [set('companies', { id }, { reads, writes, ...written })];
    }
    default:
      return unknownEvent(event);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown company event ${(event as RecordedEvent).type}`);
}
