import { Inject } from '@nestjs/common';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import type { EventLog } from '../../event-log/event-log.ts';
import { EVENT_LOG } from '../../injection-tokens.ts';
import { IsId } from '../../operation/fields.ts';
import { type Call, DeclareOperation, FREE, type Operation, type Result } from '../../operation/operation.ts';
import { whole } from '../../operation/schema.ts';
import { findPerson } from '../../people/find-person.ts';
import { isProblem, notFound } from '../../problem/problem.ts';
import { TokensOfPerson } from '../tokens-of-person.ts';

const REASONS = ['by_hand', 'offboarding', 'leak', 'idle'] as const;

export class RevokeTokensOfPersonInput {
  @IsId()
  id!: string;

  /** Default: offboarding. */
  @IsOptional()
  @IsIn(REASONS)
  reason?: (typeof REASONS)[number];

  @IsOptional()
  @IsString()
  @MaxLength(500)
  note?: string;
}

/**
 * An event in each token's stream, one after the other (decision 0009): cut short, by a fault or a conflict, it is asked
 * again and goes on, since revoking twice is once.
 */
@DeclareOperation({
  name: 'revoke_tokens_of_person',
  title: 'Revoke all tokens of a person',
  summary:
    'Ends every token a person owns, whoever made it. Once answered, no call with any of them succeeds. Cut short, ask again: it goes on.',
  catalogue: 'writ',
  scope: 'writ/people:write',
  cost: FREE,
  http: { method: 'post', path: '/api/v1/admin/people/:id/revoke-tokens' },
  input: RevokeTokensOfPersonInput,
  output: whole({
    person: { type: 'string' },
    revoked: { type: 'array', items: { type: 'string' }, description: 'Ids of the tokens this call ended.' },
  }),
  effect: 'destroys',
  resource: ({ id }) => `person/${id}`,
})
export class RevokeTokensOfPersonOperation implements Operation<RevokeTokensOfPersonInput> {
  constructor(
    private readonly tokens: TokensOfPerson,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run({ id, reason, note }: RevokeTokensOfPersonInput, call: Call): Promise<Result> {
    const { workspace } = call.token;
    if ((await findPerson(this.log, workspace, id)) === null) return notFound('There is no such person here.');
    const owned = await this.tokens.list(workspace, id);
    if (isProblem(owned)) return owned;
    const living = owned.filter(({ status }) => status !== 'revoked').map((token) => token.id);
    const revoked = await this.tokens.revoke(living, { reason: reason ?? 'offboarding', note: note ?? null }, call);
    if (isProblem(revoked)) return revoked;
    return { body: { person: id, revoked }, endsCaller: revoked.includes(call.token.id) };
  }
}
