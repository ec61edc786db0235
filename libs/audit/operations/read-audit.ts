import { QueryBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { pageOfInput } from '../../operation/page-input.ts';
import { pageSchema } from '../../operation/schema.ts';
import { missingScope, notFound } from '../../problem/problem.ts';
import { type AuditEntry, CountAudit, ListAudit, ListWriters } from '../queries.ts';
import { AuditFilterInput, CountAuditInput, filterOf, WhoDidThisInput } from './inputs.ts';
import { auditCountSchema, auditEntrySchema, writersSchema } from './schema.ts';

const OPERATE = 'writ/operate';

const mayAsk = ({ unattributed }: AuditFilterInput, { token }: Call): boolean =>
  unattributed !== true || token.grants.includes(OPERATE);

@DeclareOperation({
  name: 'list_audit',
  title: 'Search the audit trail',
  summary: 'Every use, every refusal, every change of a token and every write of the workspace, newest first.',
  catalogue: 'writ',
  scope: 'writ/audit:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/audit' },
  input: AuditFilterInput,
  output: pageSchema(auditEntrySchema),
  effect: 'reads',
  readsFrom: 'audit',
})
export class ListAuditOperation implements Operation<AuditFilterInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: AuditFilterInput, call: Call): Promise<Result> {
    if (!mayAsk(input, call)) return missingScope(OPERATE);
    const filter = filterOf(input, call.token.workspace);
    return { body: await this.queries.execute(new ListAudit(filter, pageOfInput(input))) };
  }
}

@DeclareOperation({
  name: 'count_audit',
  title: 'Count the audit trail',
  summary: 'Calls, and how many of them were refused, by time for a chart or by what they have in common.',
  catalogue: 'writ',
  scope: 'writ/audit:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/audit/counts' },
  input: CountAuditInput,
  output: pageSchema(auditCountSchema),
  effect: 'reads',
  readsFrom: 'audit',
})
export class CountAuditOperation implements Operation<CountAuditInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: CountAuditInput, call: Call): Promise<Result> {
    if (!mayAsk(input, call)) return missingScope(OPERATE);
    const items = await this.queries.execute(new CountAudit(filterOf(input, call.token.workspace), input.by));
    return { body: { items, next: null } };
  }
}

@DeclareOperation({
  name: 'who_did_this',
  title: 'Who did this?',
  summary: 'Who wrote a report, comment, ticket, run or token: every change of it, and the tokens behind them.',
  catalogue: 'writ',
  scope: 'writ/audit:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/audit/who/:kind/:id' },
  input: WhoDidThisInput,
  output: writersSchema,
  effect: 'reads',
  readsFrom: 'audit',
  resource: ({ kind, id }) => `${kind}/${id}`,
})
export class WhoDidThisOperation implements Operation<WhoDidThisInput> {
  constructor(private readonly queries: QueryBus) {}

  async run({ kind, id }: WhoDidThisInput, { token: { workspace } }: Call): Promise<Result> {
    const resource = `${kind}/${id}`;
    const changes = await this.queries.execute(new ListWriters({ workspace, resource }));
    if (changes.length === 0) return notFound('No change of such a thing is recorded here.');
    return { body: { resource, tokens: tokensOf(changes), changes } };
  }
}

/** Each token once, in the order they first wrote. */
function tokensOf(changes: readonly AuditEntry[]): object[] {
  const byToken = Map.groupBy(changes, ({ by_token }) => by_token);
  return [...byToken].flatMap(([token, own]) => {
    const last = own.at(-1);
    if (token === null || last === undefined) return [];
    const { owner, label, face } = last;
    return {
      token,
      owner,
      label,
      face,
      first_at: own[0]?.time,
      last_at: last.time,
      history: `/api/v1/tokens/${token}/history`,
    };
  });
}

export const READ_AUDIT = [ListAuditOperation, CountAuditOperation, WhoDidThisOperation];
