import { CommandBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, FREE, type Operation, type Result } from '../../operation/operation.ts';
import { notFound } from '../../problem/problem.ts';
import { authorityOf } from '../authority-of.ts';
import { tokenWithSecretSchema } from '../schema.ts';
import { HandOver } from '../token-commands.ts';
import { formatToken, newSecret, tokenDigest } from '../token-format.ts';
import { tokenProblem } from '../token-problem.ts';
import { TokenRecords } from '../token-records.ts';
import { RotateTokenInput } from './inputs.ts';

@DeclareOperation({
  name: 'rotate_token',
  title: 'Rotate a token',
  summary:
    'Makes a successor with the same scopes, restriction, limits, owner and windows. Side by side, for an overlap, or cut-over.',
  catalogue: 'writ',
  scope: 'writ/tokens:write',
  cost: FREE,
  http: { method: 'post', path: '/api/v1/tokens/:id/rotate', status: 201 },
  input: RotateTokenInput,
  output: tokenWithSecretSchema,
  effect: 'adds',
  showsSecret: true,
  resource: ({ id }) => `token/${id}`,
})
export class RotateTokenOperation implements Operation<RotateTokenInput> {
  constructor(
    private readonly commands: CommandBus,
    private readonly records: TokenRecords,
  ) {}

  async run(input: RotateTokenInput, call: Call): Promise<Result> {
    const standing = await this.records.find(input.id, call.token.workspace);
    if (standing === null) return notFound('There is no such token here.');
    const catalogue = this.records.catalogueOf(standing);
    let token = '';
    const rotated = await this.commands.execute(
      new HandOver(
        input.id,
        {
          catalogue,
          companies: await this.records.companiesOf(standing.token.workspace, [standing.token.restrict]),
          overlapMs:
            input.overlap_seconds === undefined || input.overlap_seconds === null ? null : input.overlap_seconds * 1000,
          giver: authorityOf(call.token),
          nowMs: call.nowMs,
        },
        (successor) => {
          token = formatToken(catalogue.prefix, successor, newSecret());
          return tokenDigest(token);
        },
        call,
      ),
    );
    if (rotated === null) return notFound('There is no such token here.');
    if ('kind' in rotated) return tokenProblem(rotated);
    const record = await this.records.record(rotated.successor, call.nowMs);
    return {
      body: { ...record, token },
      revision: rotated.successor.revision,
      position: rotated.outcome.position,
      endsCaller: input.id === call.token.id && input.overlap_seconds === 0,
    };
  }
}
