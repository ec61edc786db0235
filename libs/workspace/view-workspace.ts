import type { EventLog, RecordedEvent } from '../event-log/event-log.ts';
import type { ViewWorkspace } from '../hot-view/hot-view.ts';
import { WORKSPACE_PREFIX, type WorkspaceEvent, workspaceStream } from './events.ts';

/**
 * What a workspace's stream says of its ceiling. Its other events do not matter here, known ones or not: so no later
 * kind of event can lift it. Null: nothing so far.
 */
export function evolveWorkspace(
  before: ViewWorkspace | null,
  { stream, type, data, revision: version }: RecordedEvent,
): ViewWorkspace | null {
  if (type !== 'WorkspaceCeilingChanged') return before === null ? null : { ...before, version };
  const { reads, writes } = data as WorkspaceEvent['data'];
  return { id: stream.slice(WORKSPACE_PREFIX.length), ceiling: { reads, writes }, version };
}

/** Straight from the log; null: nobody ever set a ceiling. @throws LogUnavailable */
export async function loadViewWorkspace(log: EventLog, id: string): Promise<ViewWorkspace | null> {
  let workspace: ViewWorkspace | null = null;
  for await (const event of log.readStream(workspaceStream(id))) workspace = evolveWorkspace(workspace, event);
  return workspace;
}
