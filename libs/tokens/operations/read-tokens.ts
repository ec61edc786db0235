import { Inject } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { EventLog } from '../../event-log/event-log.ts';
import type { HotView } from '../../hot-view/hot-view.ts';
import { EVENT_LOG, HOT_VIEW } from '../../injection-tokens.ts';
import { AtHead } from '../../operation/at-head.ts';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { pageOfInput } from '../../operation/page-input.ts';
import { pageSchema } from '../../operation/schema.ts';
import { notFound } from '../../problem/problem.ts';
import { LastUsed, TokenHistory } from '../../usage/queries.ts';
import { ListTokens } from '../queries.ts';
import { toRecord, usedOf } from '../record.ts';
import { historyItemSchema, tokenRecordSchema } from '../schema.ts';
import { TokenRecords } from '../token-records.ts';
import { GetTokenInput, ListTokensInput, TokenHistoryInput } from './inputs.ts';

const NO_TOKEN = 'There is no such token here.';

@DeclareOperation({
  name: 'list_tokens',
  title: 'List tokens',
  summary:
    'The tokens of the workspace, newest first, dead ones included, each with its limits and what is used of them.',
  catalogue: 'writ',
  scope: 'writ/tokens:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/tokens' },
  input: ListTokensInput,
  output: pageSchema(tokenRecordSchema),
  effect: 'reads',
  readsFrom: 'tokens',
})
export class ListTokensOperation implements Operation<ListTokensInput> {
  constructor(
    private readonly queries: QueryBus,
    private readonly records: TokenRecords,
    private readonly atHead: AtHead,
    @Inject(HOT_VIEW) private readonly view: HotView,
  ) {}

  async run(input: ListTokensInput, { token, nowMs }: Call): Promise<Result> {
    const { owner, catalogue } = input;
    // Who has just made a token, by whatever client, looks for it here.
    await this.atHead.of('tokens');
    const page = await this.queries.execute(
      new ListTokens({ workspace: token.workspace, owner, catalogue, ...pageOfInput(input) }),
    );
    const ids = page.items.map((item) => item.token.id);
    const usage = await this.view.usage(ids);
    const lastUsed = await this.queries.execute(new LastUsed(ids));
    const limits = await this.records.limitsOfAll(page.items);
    const items = page.items.map((item, index) =>
      toRecord(item, limits[index]!, usedOf(usage[index]!), lastUsed.get(item.token.id) ?? null, nowMs),
    );
    return { body: { items, next: page.next } };
  }
}

@DeclareOperation({
  name: 'get_token',
  title: 'Show a token',
  summary: 'A token’s record, now or as it was at an instant (`at`).',
  catalogue: 'writ',
  scope: 'writ/tokens:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/tokens/:id' },
  input: GetTokenInput,
  output: tokenRecordSchema,
  effect: 'reads',
  readsFrom: 'token-uses',
  resource: ({ id }) => `token/${id}`,
})
export class GetTokenOperation implements Operation<GetTokenInput> {
  constructor(private readonly records: TokenRecords) {}

  async run({ id, at }: GetTokenInput, { token, nowMs }: Call): Promise<Result> {
    const atMs = at === undefined ? undefined : Date.parse(at);
    const standing = await this.records.find(id, token.workspace, atMs);
    if (standing === null) return notFound(NO_TOKEN);
    const body = await (atMs === undefined
      ? this.records.record(standing, nowMs)
      : this.records.recordAt(standing, atMs));
    return { body, revision: standing.revision };
  }
}

@DeclareOperation({
  name: 'get_token_history',
  title: 'Show a token’s history',
  summary: 'Its whole life and every use, in order, event by event.',
  catalogue: 'writ',
  scope: 'writ/tokens:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/tokens/:id/history' },
  input: TokenHistoryInput,
  output: pageSchema(historyItemSchema),
  effect: 'reads',
  readsFrom: 'token-uses',
  resource: ({ id }) => `token/${id}`,
})
export class GetTokenHistoryOperation implements Operation<TokenHistoryInput> {
  constructor(
    private readonly queries: QueryBus,
    private readonly records: TokenRecords,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run(input: TokenHistoryInput, { token }: Call): Promise<Result> {
    const standing = await this.records.find(input.id, token.workspace);
    if (standing === null) return notFound(NO_TOKEN);
    const head = await this.log.head();
    const fresh = head === null || (await this.records.historyReaches(head));
    const page = await this.queries.execute(new TokenHistory({ token: input.id, ...pageOfInput(input) }));
    return { body: { ...page, complete_to: fresh ? head : null } };
  }
}
