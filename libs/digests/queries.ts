import { Query } from '@nestjs/cqrs';
import type { Page } from '../read-db/page.ts';
import type { Totals } from './digest.ts';
import type { PeriodKind } from './period.ts';

/** A digest in a list; fields as they go over the wire. */
export interface DigestSummary {
  readonly id: string;
  readonly period: PeriodKind;
  readonly from: string;
  readonly to: string;
  readonly log_position: number;
  readonly totals: Totals;
}

/** Newest first. A malformed cursor throws BadCursor (libs/read-db/page.ts). Answered in projections/digests. */
export class ListDigests extends Query<Page<DigestSummary>> {
  constructor(
    readonly request: {
      readonly workspace: string;
      readonly period?: PeriodKind | undefined;
      /** Of periods that begin then or later, and before `to`; Unix ms. */
      readonly fromMs?: number | undefined;
      readonly toMs?: number | undefined;
      readonly cursor: string | null;
      readonly limit: number;
    },
  ) {
    super();
  }
}
