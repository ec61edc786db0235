import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import { PERSON_PREFIX, type PersonEvent } from '../../libs/people/events.ts';
import type { Actor } from '../../libs/person/actor.ts';
import { ERASED } from '../../libs/privacy/erased.ts';
import { add, type Change, put, set } from '../../libs/projection/change.ts';
import type { Projection } from '../../libs/projection/projection.ts';

export interface PeopleTables {
  people: {
    id: string;
    workspace: string;
    name: string;
    version: number;
    actor: Actor;
    created_at: string;
    updated_at: string;
    position: number;
  };
  members: {
    person: string;
    company: string;
    /** False: they were one. */
    current: boolean;
    since: string;
    position: number;
  };
}

/** People, and which companies they are members of. */
export const people: Projection = {
  name: 'people',
  version: 1,
  streamPrefixes: [PERSON_PREFIX],
  tables: {
    people: {
      columns: {
        id: 'text',
        workspace: 'text',
        name: 'text',
        version: 'integer',
        actor: 'jsonb',
        created_at: 'text',
        updated_at: 'text',
        position: 'bigint',
      },
      primaryKey: ['id'],
      indexes: ['(workspace, position desc)'],
    },
    members: {
      columns: { person: 'text', company: 'text', current: 'boolean', since: 'text', position: 'bigint' },
      primaryKey: ['person', 'company'],
      indexes: ['(company, position desc) where current'],
    },
  },
  apply(recorded) {
    const event = recorded as RecordedEvent & PersonEvent;
    const person = event.stream.slice(PERSON_PREFIX.length);
    const actor = event.metadata['actor'] as Actor | undefined;
    if (actor === undefined) throw new Error('the event names no actor');
    const { position, revision: version } = event;
    const { at } = event.data;
    const changed = (values: { readonly name?: string } = {}): Change =>
      set('people', { id: person }, { ...values, version, actor, updated_at: at });
    switch (event.type) {
      case 'PersonAdded': {
        const { workspace, name } = event.data;
        const row = { id: person, workspace, name, version, actor, created_at: at, updated_at: at, position };
        return [add('people', row)];
      }
      case 'PersonRenamed':
        return [changed({ name: event.data.name })];
      case 'MemberAdded': {
        const { company } = event.data;
        return [put('members', { person, company, current: true, since: at, position }), changed()];
      }
      case 'MemberRemoved': {
        const { company } = event.data;
        return [set('members', { person, company }, { current: false }), changed()];
      }
      case 'PersonErased':
        return [changed({ name: ERASED })];
      default:
        return unknownEvent(event);
    }
  },
};

function unknownEvent(event: never): never {
  throw new Error(`unknown person event ${(event as RecordedEvent).type}`);
}
