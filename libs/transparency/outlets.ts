import type { PushStatus } from '../siem/push.ts';
import type { ScheduledExportStatus } from './scheduled/scheduled-export-runner.ts';

/** What carries the history out of the log by itself, as operators see it. */
export interface Outlets {
  /** Null: no folder was named. */
  readonly scheduledExport: { status(): Promise<ScheduledExportStatus> } | null;
  readonly pushes: readonly { status(): Promise<PushStatus> }[];
}

/** Over the wire. */
export interface OutletsStatus {
  readonly scheduled_export: ScheduledExportStatus | null;
  readonly pushes: readonly PushStatus[];
}
