import { load } from '../event-log/decide-and-append.ts';
import type { EventLog } from '../event-log/event-log.ts';
import { readFounder } from '../founding/founding.ts';
import type { Person } from '../person/person.ts';
import { personDecider } from './decide.ts';
import { personStream } from './events.ts';

export interface FoundPerson extends Person {
  /** Ids of the companies they are a member of. */
  readonly companies: ReadonlySet<string>;
}

/** Somebody of the workspace, from the log; null: nobody here. */
export async function findPerson(log: EventLog, workspace: string, id: string): Promise<FoundPerson | null> {
  const { state } = await load(log, personStream(id), personDecider);
  if (state.status === 'none') {
    const founder = await founderOf(log, workspace, id);
    return founder === null ? null : { ...founder, companies: new Set() };
  }
  if (state.status === 'erased' || state.workspace !== workspace) return null;
  return { id, name: state.name, companies: new Set(state.companies.keys()) };
}

/** The founder of the workspace, if that is who the id names. */
export async function founderOf(log: EventLog, workspace: string, id: string): Promise<Person | null> {
  const founder = await readFounder(log);
  return founder?.workspace === workspace && founder.owner.id === id ? founder.owner : null;
}
