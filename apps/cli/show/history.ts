import type { TokenEvent } from '../../../libs/tokens/events.ts';
import type { HistoryItem } from '../../../libs/usage/queries.ts';
import type { UsageEvent } from '../../../libs/usage/use.ts';
import { columns } from './table.ts';

export function historyTable(items: readonly HistoryItem[]): string {
  return columns(
    ['TIME', 'WHAT', 'DETAIL', 'BY'],
    items.map((item) => [item.time, item.type, detailOf(item), byOf(item)]),
  );
}

function byOf({ actor }: HistoryItem): string {
  if (actor === null) return '';
  const who = actor.label === null ? actor.person.name : `${actor.person.name} (${actor.label})`;
  return `${who} via ${actor.face}`;
}

/** One line for each kind of event; a newer server may have more kinds than this command knows. */
function detailOf({ type, data }: HistoryItem): string {
  const event = { type, data } as TokenEvent | UsageEvent;
  switch (event.type) {
    case 'TokenCreated': {
      const { name, scopes, limits, predecessor } = event.data;
      const after = predecessor === null ? '' : `, successor of ${predecessor}`;
      return `${name}: ${scopes.join(', ')}; ${limitsText(limits)}${after}`;
    }
    case 'TokenRenamed':
      return event.data.name;
    case 'TokenScoped': {
      const { scopes, restrict } = event.data;
      const pinned = [...restrict.companies, ...restrict.projects];
      return pinned.length === 0 ? scopes.join(', ') : `${scopes.join(', ')}; only ${pinned.join(', ')}`;
    }
    case 'TokenLimitsChanged': {
      const { limits, expires_at } = event.data;
      return expires_at === null ? limitsText(limits) : `${limitsText(limits)}; expires ${expires_at}`;
    }
    case 'TokenRotated': {
      const { successor, overlap_ends_at, at } = event.data;
      const until =
        overlap_ends_at === null ? 'until revoked' : overlap_ends_at === at ? 'cut over' : `until ${overlap_ends_at}`;
      return `successor ${successor}, this one ${until}`;
    }
    case 'TokenRevoked':
      return event.data.note === null ? event.data.reason : `${event.data.reason}: ${event.data.note}`;
    case 'TokenUsed': {
      const { operation, resource, decision, reason, status, request_id } = event.data;
      const on = resource === null ? '' : ` ${resource}`;
      const why = decision === 'allowed' ? '' : ` refused: ${reason ?? 'no reason recorded'}`;
      return `${operation}${on} ${status}${why} [${request_id}]`;
    }
    case 'TokenUseEnded': {
      const { operation, outcome, bytes, request_id } = event.data;
      return `${operation} ${outcome} after ${bytes} bytes [${request_id}]`;
    }
    case 'TokenUsesDenied': {
      const { count, operation, reason, address, from, to } = event.data;
      return `${count} × ${operation} refused: ${reason}, from ${address}, ${from} to ${to}`;
    }
    case 'TokenSuspended':
    case 'TokenResumed':
    case 'TokenExpired':
      return '';
    default:
      return unknownDetail(event);
  }
}

const limitsText = ({ reads, writes }: { readonly reads: number | null; readonly writes: number | null }): string =>
  `${reads ?? 'default'} reads, ${writes ?? 'default'} writes a minute`;

const unknownDetail = (event: never): string => JSON.stringify((event as HistoryItem).data);
