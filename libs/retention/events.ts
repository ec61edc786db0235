import type { ArchivedStream } from './archive-file.ts';

/** What became of usage that grew old, and who said that it must stay. */
export type RetentionEvent = UsageArchived | UsageScavenged | LegalHoldPlaced | LegalHoldLifted;

/** An archive is there, whole, and was read again; the log still holds it too. */
export interface UsageArchived {
  readonly type: 'UsageArchived';
  readonly data: {
    /** Its name in the folder of archives. */
    readonly file: string;
    readonly streams: readonly ArchivedStream[];
    readonly events: number;
    /** Positions of its first and last event. */
    readonly first: number;
    readonly last: number;
    readonly bytes: number;
    /** Of the file, hex. */
    readonly sha256: string;
    /** Leaves of the signed checkpoint in its manifest: its events are among them. */
    readonly checkpoint: number;
    readonly at: string;
  };
}

/** The log let go of what the archive holds. */
export interface UsageScavenged {
  readonly type: 'UsageScavenged';
  readonly data: { readonly file: string; readonly at: string };
}

/** Until it is lifted, the log lets go of nothing, and nothing is archived. */
export interface LegalHoldPlaced {
  readonly type: 'LegalHoldPlaced';
  readonly data: { readonly hold: string; readonly reason: string; readonly at: string };
}

export interface LegalHoldLifted {
  readonly type: 'LegalHoldLifted';
  readonly data: { readonly hold: string; readonly reason: string; readonly at: string };
}

export const RETENTION_STREAM = 'retention';
