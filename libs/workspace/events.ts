/** A workspace, in stream `workspace-<id>`. Who did it is the event's actor, in its metadata. Times are RFC 3339. */
export type WorkspaceEvent = WorkspaceCeilingChanged;

/** Both ceilings as they are afterwards. */
export interface WorkspaceCeilingChanged {
  readonly type: 'WorkspaceCeilingChanged';
  readonly data: Ceiling & { readonly at: string };
}

/** Calls a minute of all the workspace's tokens together; null: as many as they may make. */
export interface Ceiling {
  readonly reads: number | null;
  readonly writes: number | null;
}

export const NO_CEILING: Ceiling = { reads: null, writes: null };

/** The founding of the first one lies beside them, in `workspace-founding`. */
export const WORKSPACE_PREFIX = 'workspace-';
export const workspaceStream = (id: string): string => `${WORKSPACE_PREFIX}${id}`;
