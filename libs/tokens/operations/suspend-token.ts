import { CommandBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, FREE, type Operation, type Result } from '../../operation/operation.ts';
import { authorityOf } from '../authority-of.ts';
import { tokenRecordSchema } from '../schema.ts';
import { TokenAnswers } from '../token-answers.ts';
import { DecideToken } from '../token-commands.ts';
import { TokenIdInput } from './inputs.ts';

@DeclareOperation({
  name: 'suspend_token',
  title: 'Suspend a token',
  summary: 'Stops a token until it is resumed. In force at once, everywhere.',
  catalogue: 'writ',
  scope: 'writ/tokens:write',
  cost: FREE,
  http: { method: 'post', path: '/api/v1/tokens/:id/suspend' },
  input: TokenIdInput,
  output: tokenRecordSchema,
  effect: 'changes',
  resource: ({ id }) => `token/${id}`,
})
export class SuspendTokenOperation implements Operation<TokenIdInput> {
  constructor(
    private readonly commands: CommandBus,
    private readonly answers: TokenAnswers,
  ) {}

  async run(input: TokenIdInput, call: Call): Promise<Result> {
    const command = { type: 'SuspendToken', giver: authorityOf(call.token), nowMs: call.nowMs } as const;
    const outcome = await this.commands.execute(new DecideToken(input.id, command, call.append(`token/${input.id}`)));
    return this.answers.answer(input.id, outcome, call);
  }
}
