/** Signed heads of the tree, in the log itself: what a rebuilt tree is held against. */
export type CheckpointEvent = CheckpointPublished | CheckpointCosigned;

export interface CheckpointPublished {
  readonly type: 'CheckpointPublished';
  readonly data: {
    /** Leaves it speaks for. */
    readonly size: number;
    /** Base64. */
    readonly root: string;
    /** The signed note (https://c2sp.org/tlog-checkpoint). */
    readonly note: string;
    readonly at: string;
  };
}

/** A witness's word on a published checkpoint (https://c2sp.org/tlog-cosignature). */
export interface CheckpointCosigned {
  readonly type: 'CheckpointCosigned';
  readonly data: { readonly size: number; readonly witness: string; readonly line: string; readonly at: string };
}

export const CHECKPOINTS_STREAM = 'checkpoints';
