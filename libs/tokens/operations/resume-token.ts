import { CommandBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, WRITE, type Operation, type Result } from '../../operation/operation.ts';
import { notFound } from '../../problem/problem.ts';
import { authorityOf } from '../authority-of.ts';
import { tokenRecordSchema } from '../schema.ts';
import { TokenAnswers } from '../token-answers.ts';
import { DecideToken } from '../token-commands.ts';
import { TokenRecords } from '../token-records.ts';
import { TokenIdInput } from './inputs.ts';

@DeclareOperation({
  name: 'resume_token',
  title: 'Resume a token',
  summary: 'Lets a suspended token act again, within what the caller holds.',
  catalogue: 'writ',
  scope: 'writ/tokens:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/tokens/:id/resume' },
  input: TokenIdInput,
  output: tokenRecordSchema,
  effect: 'changes',
  resource: ({ id }) => `token/${id}`,
})
export class ResumeTokenOperation implements Operation<TokenIdInput> {
  constructor(
    private readonly commands: CommandBus,
    private readonly records: TokenRecords,
    private readonly answers: TokenAnswers,
  ) {}

  async run(input: TokenIdInput, call: Call): Promise<Result> {
    const standing = await this.records.find(input.id, call.token.workspace);
    if (standing === null) return notFound('There is no such token here.');
    const command = {
      type: 'ResumeToken',
      catalogue: this.records.catalogueOf(standing),
      companies: await this.records.companiesOf(standing.token.workspace, [standing.token.restrict]),
      giver: authorityOf(call.token),
      nowMs: call.nowMs,
    } as const;
    const outcome = await this.commands.execute(new DecideToken(input.id, command, call.append(`token/${input.id}`)));
    return this.answers.answer(input.id, outcome, call);
  }
}
