import { QueryBus } from '@nestjs/cqrs';
import { IsIn, IsOptional } from 'class-validator';
import { IsLine } from '../../operation/fields.ts';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { PageInput, pageOfInput } from '../../operation/page-input.ts';
import { whole } from '../../operation/schema.ts';
import { reachOf } from '../reach.ts';
import { Search, SEARCHED, type Searched } from './queries.ts';

const LONGEST_SEARCH = 500;

export class SearchInput extends PageInput {
  /** Words, "phrases", or, -without. */
  @IsLine(LONGEST_SEARCH)
  q!: string;

  @IsOptional()
  @IsIn(SEARCHED)
  kind?: Searched;
}

const hitSchema = whole({
  kind: { enum: SEARCHED },
  id: { type: 'string' },
  ticket: { type: ['string', 'null'] },
  project: { type: 'string' },
  company: { type: 'string' },
  title: { type: 'string' },
  archived: { type: 'boolean' },
  snippet: { type: 'array', items: whole({ text: { type: 'string' }, hit: { type: 'boolean' } }) },
});

const count = { type: 'integer', maximum: 1_000 };

@DeclareOperation({
  name: 'search',
  title: 'Search',
  summary: 'Tickets, comments and projects this token can see, best first; at most 1,000.',
  catalogue: 'toado',
  scope: 'toado/read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/search' },
  input: SearchInput,
  output: whole({
    items: { type: 'array', items: hitSchema },
    next: { type: ['string', 'null'] },
    counts: whole({ ticket: count, comment: count, project: count }),
  }),
  effect: 'reads',
  readsFrom: 'toado',
})
export class SearchOperation implements Operation<SearchInput> {
  constructor(private readonly queries: QueryBus) {}

  async run(input: SearchInput, { token, nowMs }: Call): Promise<Result> {
    const { q: text, kind } = input;
    const request = { reach: reachOf(token), text, kind, nowMs, ...pageOfInput(input) };
    return { body: await this.queries.execute(new Search(request)) };
  }
}
