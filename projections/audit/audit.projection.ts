import type { RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { Actor } from '../../libs/person/actor.ts';
import { add, type Change } from '../../libs/projection/change.ts';
import { monthOf } from '../../libs/projection/partitions.ts';
import type { Projection } from '../../libs/projection/projection.ts';
import { TOKEN_PREFIX } from '../../libs/tokens/events.ts';
import { type TokenUsesDenied, type TokenUse, useOf } from '../../libs/usage/use.ts';

/** An event can be both: what was changed, and the call that changed it. */
export const CHANGE = 0;
export const USE = 1;

export interface AuditTables {
  entries: {
    /** `202611`; the partitions of PostgreSQL. */
    month: number;
    position: number;
    /** `CHANGE` or `USE`. */
    part: number;
    kind: 'change' | 'use' | 'denials';
    type: string;
    /** Unix ms. */
    time: number;
    workspace: string | null;
    stream: string;
    revision: number;
    /** Who called; of a change of a token, the token that was changed. */
    token: string | null;
    /** Who made a change, where it is not `token`. */
    by_token: string | null;
    owner: string | null;
    owner_name: string | null;
    label: string | null;
    face: string | null;
    operation: string | null;
    resource: string | null;
    company: string | null;
    decision: string | null;
    reason: string | null;
    status: number | null;
    client_address: string | null;
    client_name: string | null;
    request_id: string | null;
    /** Calls it stands for. */
    calls: number;
    /** A write's events all carry its use, which is kept once. */
    written: boolean | null;
    data: unknown;
  };
}

type Entry = AuditTables['entries'];

/** Every use, every denial, every change of a token, every write's attribution, as one table to search. */
export const audit: Projection = {
  name: 'audit',
  version: 2,
  streamPrefixes: null,
  tables: {
    entries: {
      columns: {
        month: 'integer',
        position: 'bigint',
        part: 'integer',
        kind: 'text',
        type: 'text',
        time: 'bigint',
        workspace: 'text',
        stream: 'text',
        revision: 'integer',
        token: 'text',
        by_token: 'text',
        owner: 'text',
        owner_name: 'text',
        label: 'text',
        face: 'text',
        operation: 'text',
        resource: 'text',
        company: 'text',
        decision: 'text',
        reason: 'text',
        status: 'integer',
        client_address: 'text',
        client_name: 'text',
        request_id: 'text',
        calls: 'integer',
        written: 'boolean',
        data: 'jsonb',
      },
      primaryKey: ['month', 'position', 'part'],
      partitionByMonth: 'month',
      indexes: [
        '(month, time)',
        '(token, month, time)',
        '(owner, month, time)',
        '(operation, month, time)',
        '(resource, month, time) where resource is not null',
      ],
      uniqueIndexes: ['(month, request_id, operation, resource) where written'],
    },
  },
  apply(event) {
    if (event.type === 'TokenUsesDenied') return [denials(event)];
    const use = useOf(event);
    const actor = (event.metadata['actor'] as Actor | undefined) ?? null;
    if (event.type === 'TokenUsed') return use === null ? [] : [usage(event, use, actor, false)];
    const changes: Change[] = [];
    if (actor !== null || event.stream.startsWith(TOKEN_PREFIX)) changes.push(change(event, use, actor));
    if (use !== null) changes.push(usage(event, use, actor, true));
    return changes;
  },
};

function usage(event: RecordedEvent, use: TokenUse, actor: Actor | null, written: boolean): Change {
  const { token, time, workspace, face, operation, resource, decision, reason, status, request_id } = use;
  return entry(event, time, {
    part: USE,
    kind: 'use',
    type: 'TokenUsed',
    workspace,
    token,
    ...ofActor(actor),
    face,
    operation,
    resource,
    company: companyOf(event, resource),
    decision,
    reason,
    status,
    client_address: use.client_address,
    client_name: use.client_name,
    request_id,
    calls: 1,
    ...(written ? { written } : {}),
  });
}

function denials(event: RecordedEvent): Change {
  const {
    token,
    workspace = null,
    face,
    operation,
    reason,
    address,
    count,
    to,
  } = event.data as TokenUsesDenied['data'];
  const what = { type: event.type, workspace, token, face, operation, reason, client_address: address, calls: count };
  return entry(event, to, { part: USE, kind: 'denials', decision: 'refused', ...what });
}

function change(event: RecordedEvent, use: TokenUse | null, actor: Actor | null): Change {
  const data = event.data as { readonly at?: unknown; readonly workspace?: unknown; readonly comment?: unknown };
  const ofToken = event.stream.startsWith(TOKEN_PREFIX);
  const time = typeof data.at === 'string' ? data.at : new Date(event.recordedAt).toISOString();
  const resource = typeof data.comment === 'string' ? `comment/${data.comment}` : event.stream.replace('-', '/');
  const by = actor?.token ?? null;
  return entry(event, time, {
    part: CHANGE,
    kind: 'change',
    type: event.type,
    workspace: use?.workspace ?? (typeof data.workspace === 'string' ? data.workspace : null),
    token: ofToken ? event.stream.slice(TOKEN_PREFIX.length) : by,
    by_token: by,
    ...ofActor(actor),
    face: actor?.face ?? null,
    operation: use?.operation ?? null,
    resource,
    company: companyOf(event, resource),
    request_id: use?.request_id ?? null,
    calls: 0,
    ...(ofToken ? { data: withoutDigest(event.data) } : {}),
  });
}

const entry = (event: RecordedEvent, time: string, row: Partial<Entry>): Change => {
  const { position, stream, revision } = event;
  return add('entries', { month: monthOf(time), position, time: Date.parse(time), stream, revision, ...row });
};

const ofActor = (actor: Actor | null) =>
  actor === null ? {} : { owner: actor.person.id, owner_name: actor.person.name, label: actor.label };

function companyOf({ data }: RecordedEvent, resource: string | null): string | null {
  const { company } = (data ?? {}) as { readonly company?: unknown };
  if (typeof company === 'string') return company;
  return resource?.startsWith('company/') === true ? resource.slice('company/'.length) : null;
}

/** Of a token only its holder's own text is secret, and its digest no business of a report (P5). */
function withoutDigest(data: unknown): object {
  const { digest: _kept, ...rest } = data as { readonly digest?: unknown };
  return rest;
}
