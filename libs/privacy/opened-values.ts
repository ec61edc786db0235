import type { RecordedEvent } from '../event-log/event-log.ts';
import type { OpenedValues } from '../proof/export-lines.ts';
import type { PersonKeys } from './person-keys.ts';
import { sealedIn } from './sealed-event.ts';

/** What is sealed in an event as it is stored, with what shows that it is just that. Of the erased there is nothing. */
export async function openedValuesIn(event: RecordedEvent, keys: PersonKeys): Promise<readonly OpenedValues[]> {
  const sealed = sealedIn(event);
  if (sealed.some(({ person }) => !keys.isAsked(person))) await keys.find(sealed.map(({ person }) => person));
  return sealed.flatMap(({ person, key: name, ...box }) => {
    const key = keys.known(person);
    const values = key?.id === name ? key.open(box) : null;
    return key === null || key === undefined || values === null ? [] : [{ person, values, salt: key.saltOf(values) }];
  });
}
