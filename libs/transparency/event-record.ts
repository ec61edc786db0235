import type { RecordedEvent } from '../event-log/event-log.ts';
import type { Actor } from '../person/actor.ts';
import { useOf } from '../usage/use.ts';

/** A stored event as other tools take it: one row, who and what of it in members of their own. Names are the exported ones. */
export interface EventRecord {
  readonly position: number;
  /** RFC 3339. */
  readonly time: string;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly id: string;
  readonly token: string | undefined;
  readonly owner: string | undefined;
  readonly label: string | undefined;
  readonly face: string | undefined;
  readonly operation: string | undefined;
  readonly resource: string | null | undefined;
  readonly decision: string | undefined;
  readonly reason: string | null | undefined;
  readonly status: number | undefined;
  readonly client_address: string | undefined;
  readonly client_name: string | undefined;
  readonly request_id: string | undefined;
  readonly data: unknown;
}

export function recordOf(event: RecordedEvent): EventRecord {
  const use = useOf(event);
  const actor = event.metadata['actor'] as Partial<Actor> | undefined;
  return {
    position: event.position,
    time: new Date(event.recordedAt).toISOString(),
    stream: event.stream,
    revision: event.revision,
    type: event.type,
    id: event.id,
    token: use?.token ?? actor?.token ?? undefined,
    owner: actor?.person?.name,
    label: actor?.label ?? undefined,
    face: use?.face,
    operation: use?.operation,
    resource: use?.resource,
    decision: use?.decision,
    reason: use?.reason,
    status: use?.status,
    client_address: use?.client_address,
    client_name: use?.client_name,
    request_id: use?.request_id,
    data: event.data,
  };
}
