import type { Digest } from './digest.ts';

/**
 * In stream `period-<id>`, one for all workspaces. The first event fixes what digests of the period are of: the log
 * before it. So they are the same, whenever and by whichever process they are made.
 */
export type PeriodEvent = PeriodClosed | PeriodDigested;

export interface PeriodClosed {
  readonly type: 'PeriodClosed';
  readonly data: { readonly period: string; readonly from: string; readonly to: string; readonly at: string };
}

/** Every workspace there was has its digest. */
export interface PeriodDigested {
  readonly type: 'PeriodDigested';
  readonly data: { readonly period: string; readonly workspaces: number; readonly at: string };
}

/** The only event of stream `digest-<workspace>-<period>`. */
export interface DigestMade {
  readonly type: 'DigestMade';
  readonly data: { readonly workspace: string; readonly digest: Digest; readonly at: string };
}

export const periodStream = (period: string): string => `period-${period}`;

export const DIGEST_PREFIX = 'digest-';
export const digestStream = (workspace: string, period: string): string => `${DIGEST_PREFIX}${workspace}-${period}`;
