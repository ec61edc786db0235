import type { Position } from '../event-log/event-log.ts';

/**
 * How far the history was pushed to a receiver, and by whom: checkpoint and lead in one, since only one process can
 * append the next. The newest one says all.
 */
export interface HistoryPushed {
  readonly type: 'HistoryPushed';
  readonly data: {
    /** Everything up to this position was taken by the receiver; null: nothing yet. */
    readonly up_to: Position | null;
    /** Names the process that leads. */
    readonly by: string;
    /** How often the lead was taken over since the receiver last took anything. */
    readonly takeovers: number;
    readonly at: string;
  };
}

export const PUSHES_PREFIX = 'pushes-';
