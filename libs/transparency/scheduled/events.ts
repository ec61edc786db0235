import type { ExportFormat } from '../../proof/export-lines.ts';

/** Exports into a folder, in the log itself: the next one begins where the last one ended, whoever writes it. */
export type ScheduledExportEvent = AuditExportBegun | AuditExportWritten;

/** A range is somebody's to write. Until it is written, nobody begins another. */
export interface AuditExportBegun {
  readonly type: 'AuditExportBegun';
  readonly data: {
    /** The first leaf of the range. */
    readonly from_leaf: number;
    /** Leaves of the checkpoint it leads up to. */
    readonly up_to: number;
    readonly format: ExportFormat;
    /** Its name in the folder. */
    readonly file: string;
    /** Names the process. */
    readonly by: string;
    readonly at: string;
  };
}

/** The file is there, whole. */
export interface AuditExportWritten {
  readonly type: 'AuditExportWritten';
  readonly data: {
    readonly up_to: number;
    readonly file: string;
    readonly bytes: number;
    /** Hex. */
    readonly sha256: string;
    readonly at: string;
  };
}

export const SCHEDULED_EXPORTS_STREAM = 'scheduled-exports';
