import type { EventLog } from '../../event-log/event-log.ts';
import { findPerson, type FoundPerson } from '../../people/find-person.ts';
import { invalid, type Problem } from '../../problem/problem.ts';

/**
 * The people of these ids, each once; or a problem naming the field, where one of them is nobody here. Whether they are
 * members of the ticket's company is decided with the ticket.
 */
export async function findAssignable(
  log: EventLog,
  workspace: string,
  ids: readonly string[],
  field: string,
): Promise<readonly FoundPerson[] | Problem> {
  const people = await Promise.all([...new Set(ids)].map((id) => findPerson(log, workspace, id)));
  const known = people.filter((person) => person !== null);
  return known.length === people.length ? known : invalid([{ field, message: 'names somebody who is not here' }]);
}
