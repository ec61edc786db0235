import { actorOf } from '../projection/actor-of.ts';
import type { EventLog, RecordedEvent } from '../event-log/event-log.ts';
import type { CeilingReading } from '../hot-view/hot-view.ts';
import { time, whole } from '../operation/schema.ts';
import type { By } from '../person/actor.ts';
import { attribute } from '../person/attribution.ts';
import { bySchema } from '../person/by-schema.ts';
import { evolve } from './decide.ts';
import { NO_CEILING, type WorkspaceEvent, workspaceStream } from './events.ts';

/** A workspace as those who operate it see it. */
export interface WorkspaceRecord {
  readonly id: string;
  /** Of all its tokens together; null: no ceiling, and nothing is counted. */
  readonly limits: { readonly reads: CeilingRecord; readonly writes: CeilingRecord };
  /** Revision of its stream: its ETag, and what `If-Match` takes; null: nobody ever changed it. */
  readonly version: number | null;
  readonly by: By | null;
  readonly updated_at: string | null;
}

export interface CeilingRecord {
  readonly per_minute: number | null;
  /** In the current window, since it was set. */
  readonly used: number | null;
}

const nullable = { type: ['integer', 'null'] };
const ceiling = whole({ per_minute: nullable, used: nullable });

export const workspaceSchema = whole({
  id: { type: 'string' },
  limits: whole({ reads: ceiling, writes: ceiling }),
  version: nullable,
  by: { ...bySchema, type: ['object', 'null'] },
  updated_at: { ...time, type: ['string', 'null'] },
});

/** Its ceiling straight from the log. @param usage what the view counts below it @throws LogUnavailable */
export async function readWorkspace(
  log: EventLog,
  id: string,
  usage: CeilingReading | null,
  nowMs: number,
): Promise<WorkspaceRecord> {
  let limits = NO_CEILING;
  let last: (RecordedEvent & WorkspaceEvent) | null = null;
  for await (const event of log.readStream(workspaceStream(id))) {
    last = event as RecordedEvent & WorkspaceEvent;
    limits = evolve(limits, last);
  }
  return {
    id,
    limits: {
      reads: { per_minute: limits.reads, used: usage?.reads?.used ?? null },
      writes: { per_minute: limits.writes, used: usage?.writes?.used ?? null },
    },
    version: last?.revision ?? null,
    by: last === null ? null : attribute(actorOf(last), last.data.at, nowMs),
    updated_at: last?.data.at ?? null,
  };
}
