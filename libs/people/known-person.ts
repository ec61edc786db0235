import type { PersonEvent } from './events.ts';

/** A person as their stream tells them. The workspace's founder has one only once something was decided about them. */
export type KnownPerson = { readonly status: 'none' } | AddedPerson | ErasedPerson;

export interface AddedPerson {
  readonly status: 'known';
  readonly id: string;
  readonly workspace: string;
  readonly name: string;
  /** Companies they are a member of, by id, with when they became one. */
  readonly companies: ReadonlyMap<string, string>;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Nothing can be decided about them any more. */
export interface ErasedPerson {
  readonly status: 'erased';
  readonly workspace: string;
}

export const noPerson: KnownPerson = { status: 'none' };

export function evolve(person: KnownPerson, event: PersonEvent): KnownPerson {
  if (event.type === 'PersonAdded') {
    const { id, workspace, name, at } = event.data;
    return { status: 'known', id, workspace, name, companies: new Map(), createdAt: at, updatedAt: at };
  }
  if (person.status !== 'known') throw new Error(`${event.type} of a person who is ${person.status}`);
  switch (event.type) {
    case 'PersonRenamed':
      return { ...person, name: event.data.name, updatedAt: event.data.at };
    case 'MemberAdded': {
      const { company, at } = event.data;
      return { ...person, companies: new Map(person.companies).set(company, at), updatedAt: at };
    }
    case 'MemberRemoved': {
      const companies = new Map(person.companies);
      companies.delete(event.data.company);
      return { ...person, companies, updatedAt: event.data.at };
    }
    case 'PersonErased':
      return { status: 'erased', workspace: person.workspace };
    default:
      return unknownEvent(event);
  }
}

function unknownEvent(event: never): never {
  throw new Error(`unknown person event ${(event as { type: string }).type}`);
}
