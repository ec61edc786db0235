import { Inject } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { Matches } from 'class-validator';
import { unqualify } from '../../catalogue/catalogue.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import { EVENT_LOG } from '../../injection-tokens.ts';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { Operations } from '../../operation/operations.ts';
import { notFound } from '../../problem/problem.ts';
import { FindUse } from '../../usage/queries.ts';
import type { TokenUse } from '../../usage/use.ts';
import { TokenRecords } from '../token-records.ts';

export class FindRequestInput {
  /** `X-Request-Id` of an answer. */
  @Matches(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, { message: 'must be a request id' })
  request_id!: string;
}

@DeclareOperation({
  name: 'find_request',
  title: 'Explain a request',
  summary: 'Which token made a call, what was decided, and by which rule.',
  catalogue: 'writ',
  scope: 'writ/tokens:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/requests/:request_id' },
  input: FindRequestInput,
  output: {
    type: 'object',
    properties: {
      request_id: { type: 'string' },
      token: { type: 'string' },
      label: { type: ['string', 'null'] },
      owner: { type: ['object', 'null'] },
      operation: { type: 'string' },
      face: { type: 'string' },
      decision: { enum: ['allowed', 'refused'] },
      reason: { type: ['string', 'null'] },
      status: { type: 'integer' },
      time: { type: 'string', format: 'date-time' },
      scope_needed: { type: ['string', 'null'] },
      position: { type: 'integer' },
    },
  },
  effect: 'reads',
  readsFrom: 'token-uses',
  resource: ({ request_id }) => `request/${request_id}`,
})
export class FindRequestOperation implements Operation<FindRequestInput> {
  constructor(
    private readonly queries: QueryBus,
    private readonly operations: Operations,
    private readonly records: TokenRecords,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run({ request_id: requestId }: FindRequestInput, { token }: Call): Promise<Result> {
    const query = new FindUse({ requestId, workspace: token.workspace });
    const found = (await this.queries.execute(query))[0] ?? (await this.#findLater(query));
    if (found === undefined) return notFound('No use of a token is recorded under this request id.');
    const use = found.data as TokenUse;
    const scope = this.operations.named(use.operation)?.spec.scope ?? null;
    return {
      body: {
        request_id: requestId,
        token: use.token,
        label: found.actor?.label ?? null,
        owner: found.actor?.person ?? null,
        operation: use.operation,
        face: use.face,
        decision: use.decision,
        reason: use.reason,
        status: use.status,
        time: use.time,
        scope_needed: scope === null ? null : unqualify(scope),
        position: found.position,
      },
    };
  }

  /** A call just answered may not be in the index yet: before saying that there was none, the index is waited for. */
  async #findLater(query: FindUse) {
    const head = await this.log.head();
    if (head === null || !(await this.records.historyReaches(head))) return undefined;
    return (await this.queries.execute(query))[0];
  }
}
