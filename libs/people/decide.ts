import { type Decider, type Refused, refuse } from '../event-log/decide-and-append.ts';
import type { Person } from '../person/person.ts';
import type { PersonAdded, PersonEvent } from './events.ts';
import { type AddedPerson, evolve, type KnownPerson, noPerson } from './known-person.ts';

/** `workspace` is the caller's: who is in another is not there (P13). `at` is RFC 3339. */
export type PersonCommand = AddPerson | RenamePerson | AddMember | RemoveMember | ErasePerson;

interface Asked {
  readonly workspace: string;
  readonly at: string;
}

export interface AddPerson extends Asked {
  readonly type: 'AddPerson';
  readonly id: string;
  readonly name: string;
}

/** About somebody who is there: by their stream, or as the founder of the workspace. */
interface AboutPerson extends Asked {
  /** Null: this is not the founder. */
  readonly founder: Person | null;
}

export interface RenamePerson extends AboutPerson {
  readonly type: 'RenamePerson';
  readonly name: string;
}

export interface AddMember extends AboutPerson {
  readonly type: 'AddMember';
  readonly company: string;
  /** Workspace of the company; null: there is no such company. */
  readonly companyWorkspace: string | null;
}

export interface RemoveMember extends AboutPerson {
  readonly type: 'RemoveMember';
  readonly company: string;
}

/** What remains to be written once the key of their data is destroyed. */
export interface ErasePerson extends AboutPerson {
  readonly type: 'ErasePerson';
}

export type PersonRefusal =
  | { readonly code: 'not_found' }
  | { readonly code: 'exists' }
  | { readonly code: 'company_not_found' }
  | { readonly code: 'no_member' };

type Decision = readonly PersonEvent[] | Refused<PersonRefusal>;

export function decide(command: PersonCommand, person: KnownPerson): Decision {
  const { workspace, at } = command;
  if (command.type === 'AddPerson') {
    if (person.status !== 'none') return refuse({ code: 'exists' });
    return [{ type: 'PersonAdded', data: { id: command.id, workspace, name: command.name, at } }];
  }
  const { founder } = command;
  if (person.status === 'none' && founder !== null) {
    // The founder came with the workspace, before there were streams of people: theirs begins here.
    const added: PersonAdded = { type: 'PersonAdded', data: { ...founder, workspace, at } };
    const adopted = evolve(person, added);
    if (adopted.status !== 'known') throw new Error('an added person is known');
    const decided = decideKnown(command, adopted);
    return 'refused' in decided || decided.length === 0 ? decided : [added, ...decided];
  }
  if (person.status === 'none' || person.workspace !== workspace) return refuse({ code: 'not_found' });
  if (person.status === 'erased') return command.type === 'ErasePerson' ? [] : refuse({ code: 'not_found' });
  return decideKnown(command, person);
}

function decideKnown(command: Exclude<PersonCommand, AddPerson>, person: AddedPerson): Decision {
  const { at } = command;
  switch (command.type) {
    case 'RenamePerson': {
      const { name } = command;
      return name === person.name ? [] : [{ type: 'PersonRenamed', data: { name, at } }];
    }
    case 'AddMember': {
      const { company, companyWorkspace } = command;
      if (companyWorkspace !== person.workspace) return refuse({ code: 'company_not_found' });
      return person.companies.has(company) ? [] : [{ type: 'MemberAdded', data: { company, at } }];
    }
    case 'RemoveMember': {
      const { company } = command;
      return person.companies.has(company)
        ? [{ type: 'MemberRemoved', data: { company, at } }]
        : refuse({ code: 'no_member' });
    }
    case 'ErasePerson': {
      const left = [...person.companies.keys()].map((company): PersonEvent => {
        return { type: 'MemberRemoved', data: { company, at } };
      });
      return [...left, { type: 'PersonErased', data: { at } }];
    }
    default:
      return unknownCommand(command);
  }
}

function unknownCommand(command: never): never {
  throw new Error(`unknown person command ${(command as { type: string }).type}`);
}

export const personDecider: Decider<PersonCommand, KnownPerson, PersonEvent, PersonRefusal> = {
  initialState: noPerson,
  decide,
  evolve,
};
