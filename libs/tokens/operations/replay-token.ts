import { Inject } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import type { EventLog } from '../../event-log/event-log.ts';
import { EVENT_LOG } from '../../injection-tokens.ts';
import { IsInstant } from '../../operation/is-instant.ts';
import { bytesSchema } from '../../operation/content.ts';
import { type Call, DeclareOperation, type Operation, READ, type Result } from '../../operation/operation.ts';
import { notFound } from '../../problem/problem.ts';
import { type CatalogueOf, type Frame, replayToken, replayTokenAt } from '../replay/replay-token.ts';
import { TokenRecords } from '../token-records.ts';
import { TokenIdInput } from './inputs.ts';

const JSON_LINES = 'application/jsonl';

export class ReplayTokenInput extends TokenIdInput {
  /** Only this moment. */
  @IsOptional()
  @IsInstant()
  at?: string;
}

@DeclareOperation({
  name: 'replay_token',
  title: 'Replay a token',
  summary:
    'What a token could do and what was left of its limits after each event of its life and uses, or at one instant, straight from the log: JSON Lines.',
  catalogue: 'writ',
  scope: 'writ/audit:read',
  cost: READ,
  http: { method: 'get', path: '/api/v1/tokens/:id/replay' },
  input: ReplayTokenInput,
  output: bytesSchema,
  streams: [JSON_LINES],
  effect: 'reads',
  resource: ({ id }) => `token/${id}`,
})
export class ReplayTokenOperation implements Operation<ReplayTokenInput> {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    private readonly records: TokenRecords,
  ) {}

  async run({ id, at }: ReplayTokenInput, { token }: Call): Promise<Result> {
    const standing = await this.records.find(id, token.workspace);
    if (standing === null) return notFound('There is no such token here.');
    const catalogueOf: CatalogueOf = (of) => this.records.catalogueOf({ token: of });
    if (at === undefined)
      return { content: { type: JSON_LINES, open: () => lines(replayToken(this.log, catalogueOf, id)) } };
    const record = await replayTokenAt(this.log, catalogueOf, id, Date.parse(at));
    if (record === null) return notFound('The token was not there yet.');
    const frame: Frame = { position: null, type: null, time: new Date(at).toISOString(), record };
    return { content: { type: JSON_LINES, open: () => lines([frame]) } };
  }
}

async function* lines(frames: AsyncIterable<Frame> | Iterable<Frame>): AsyncGenerator<Uint8Array> {
  for await (const frame of frames) yield Buffer.from(`${JSON.stringify(frame)}\n`);
}
