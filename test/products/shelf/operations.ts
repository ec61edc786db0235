import { Inject } from '@nestjs/common';
import { decideAndAppend, load } from '../../../libs/event-log/decide-and-append.ts';
import type { EventLog } from '../../../libs/event-log/event-log.ts';
import { EVENT_LOG } from '../../../libs/injection-tokens.ts';
import { IsLine } from '../../../libs/operation/fields.ts';
import {
  type Call,
  DeclareOperation,
  type Operation,
  READ,
  type Result,
  WRITE,
} from '../../../libs/operation/operation.ts';
import { outcomeProblem } from '../../../libs/operation/outcome-problem.ts';
import { pageSchema, time, whole } from '../../../libs/operation/schema.ts';
import { NoInput } from '../../../libs/tokens/operations/inputs.ts';
import { shelfDecider, shelfStream } from './shelf.ts';

const bookSchema = whole({ id: { type: 'string' }, title: { type: 'string' }, at: time });

export class ShelveBookInput {
  @IsLine(200)
  title!: string;
}

@DeclareOperation({
  name: 'shelve_book',
  title: 'Shelve a book',
  summary: 'Puts a book on the shelf of the workspace.',
  catalogue: 'shelf',
  scope: 'shelf/books:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/books', status: 201 },
  input: ShelveBookInput,
  output: bookSchema,
  effect: 'adds',
})
export class ShelveBookOperation implements Operation<ShelveBookInput> {
  constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

  async run({ title }: ShelveBookInput, call: Call): Promise<Result> {
    const book = { id: call.newId(), title, at: new Date(call.nowMs).toISOString() };
    const stream = shelfStream(call.token.workspace);
    const outcome = await decideAndAppend(this.log, stream, shelfDecider, book, call.append(`book/${book.id}`));
    if (outcome.kind !== 'done') return outcomeProblem(outcome, (never) => never);
    const { revision, position, repeated } = outcome;
    return { body: outcome.events[0]?.data, revision, position: repeated ? null : position };
  }
}

@DeclareOperation({
  name: 'list_books',
  title: 'List books',
  summary: 'The books on the shelf of the workspace, oldest first.',
  catalogue: 'shelf',
  scope: 'shelf/books:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/books' },
  input: NoInput,
  output: pageSchema(bookSchema),
  effect: 'reads',
})
export class ListBooksOperation implements Operation<NoInput> {
  constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

  async run(_input: NoInput, { token }: Call): Promise<Result> {
    const { state } = await load(this.log, shelfStream(token.workspace), shelfDecider);
    return { body: { items: state, next: null } };
  }
}

/** What the server is started with, to have this product, too. */
export const SHELF = [ShelveBookOperation, ListBooksOperation];
