/** A project and its columns, in stream `project-<id>`. Who did it is the event's actor. Times are RFC 3339. */
export type ProjectEvent =
  | ProjectCreated
  | ProjectDescribed
  | ProjectArchived
  | ProjectRestored
  | ColumnAdded
  | ColumnRenamed
  | ColumnMoved
  | ColumnRemoved;

export interface ProjectCreated {
  readonly type: 'ProjectCreated';
  readonly data: {
    readonly id: string;
    readonly workspace: string;
    readonly company: string;
    readonly name: string;
    readonly description: string;
    readonly at: string;
  };
}

/** Name and description as they are afterwards. */
export interface ProjectDescribed {
  readonly type: 'ProjectDescribed';
  readonly data: { readonly name: string; readonly description: string; readonly at: string };
}

export interface ProjectArchived {
  readonly type: 'ProjectArchived';
  readonly data: { readonly at: string };
}

export interface ProjectRestored {
  readonly type: 'ProjectRestored';
  readonly data: { readonly at: string };
}

export interface ColumnAdded {
  readonly type: 'ColumnAdded';
  readonly data: { readonly column: string; readonly name: string; readonly position: string; readonly at: string };
}

export interface ColumnRenamed {
  readonly type: 'ColumnRenamed';
  readonly data: { readonly column: string; readonly name: string; readonly at: string };
}

export interface ColumnMoved {
  readonly type: 'ColumnMoved';
  readonly data: { readonly column: string; readonly position: string; readonly at: string };
}

export interface ColumnRemoved {
  readonly type: 'ColumnRemoved';
  readonly data: { readonly column: string; readonly at: string };
}

export const PROJECT_PREFIX = 'project-';
export const projectStream = (id: string): string => `${PROJECT_PREFIX}${id}`;
