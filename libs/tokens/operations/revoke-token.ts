import { CommandBus } from '@nestjs/cqrs';
import { type Call, DeclareOperation, FREE, type Operation, type Result } from '../../operation/operation.ts';
import { authorityOf } from '../authority-of.ts';
import { tokenRecordSchema } from '../schema.ts';
import { TokenAnswers } from '../token-answers.ts';
import { DecideToken } from '../token-commands.ts';
import { RevokeTokenInput } from './inputs.ts';

@DeclareOperation({
  name: 'revoke_token',
  title: 'Revoke a token',
  summary: 'Ends a token for good. Once answered, no call begun after it succeeds, on any process or face.',
  catalogue: 'writ',
  scope: 'writ/tokens:write',
  cost: FREE,
  http: { method: 'delete', path: '/api/v1/tokens/:id' },
  input: RevokeTokenInput,
  output: tokenRecordSchema,
  effect: 'destroys',
  resource: ({ id }) => `token/${id}`,
})
export class RevokeTokenOperation implements Operation<RevokeTokenInput> {
  constructor(
    private readonly commands: CommandBus,
    private readonly answers: TokenAnswers,
  ) {}

  async run(input: RevokeTokenInput, call: Call): Promise<Result> {
    const command = {
      type: 'RevokeToken',
      reason: input.reason ?? 'by_hand',
      note: input.note ?? null,
      giver: authorityOf(call.token),
      nowMs: call.nowMs,
    } as const;
    const outcome = await this.commands.execute(new DecideToken(input.id, command, call.append(`token/${input.id}`)));
    return this.answers.answer(input.id, outcome, call);
  }
}
