import type { DigestSummary } from '../../../libs/digests/queries.ts';
import { columns } from './table.ts';

export function digestList(digests: readonly DigestSummary[]): string {
  return columns(
    ['PERIOD', 'KIND', 'ALLOWED', 'FAILED', 'DENIED', 'THROTTLED', 'CREATED', 'ROTATED', 'REVOKED', 'TOKENS USED'],
    digests.map(({ id, period, totals }) => [
      id,
      period,
      String(totals.allowed),
      String(totals.failed),
      String(totals.denied),
      String(totals.throttled),
      String(totals.tokens_created),
      String(totals.tokens_rotated),
      String(totals.tokens_revoked),
      String(totals.tokens_used),
    ]),
  );
}
