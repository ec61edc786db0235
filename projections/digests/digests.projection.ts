import { DIGEST_PREFIX, type DigestMade } from '../../libs/digests/events.ts';
import type { Totals } from '../../libs/digests/digest.ts';
import type { PeriodKind } from '../../libs/digests/period.ts';
import { add } from '../../libs/projection/change.ts';
import type { Projection } from '../../libs/projection/projection.ts';

export interface DigestsTables {
  digests: {
    workspace: string;
    id: string;
    period: PeriodKind;
    /** Unix ms: periods begin and end at midnight UTC. */
    from_ms: number;
    to_ms: number;
    log_position: number;
    totals: Totals;
    /** Of the event that keeps it. */
    position: number;
  };
}

/** Which digests there are. What they say is read from the log. */
export const digests: Projection = {
  name: 'digests',
  version: 1,
  streamPrefixes: [DIGEST_PREFIX],
  tables: {
    digests: {
      columns: {
        workspace: 'text',
        id: 'text',
        period: 'text',
        from_ms: 'bigint',
        to_ms: 'bigint',
        log_position: 'bigint',
        totals: 'jsonb',
        position: 'bigint',
      },
      primaryKey: ['workspace', 'id'],
      indexes: ['(workspace, to_ms desc, from_ms)'],
    },
  },
  apply(event) {
    if (event.type !== 'DigestMade') throw new Error(`unknown digest event ${event.type}`);
    const { workspace, digest } = event.data as DigestMade['data'];
    const { id, period, from, to, log_position, totals } = digest;
    const range = { from_ms: Date.parse(from), to_ms: Date.parse(to) };
    return [add('digests', { workspace, id, period, ...range, log_position, totals, position: event.position })];
  },
};
