import { Inject } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import type { EventLog } from '../../event-log/event-log.ts';
import type { Freshness } from '../../gate/freshness.ts';
import { EVENT_LOG, FRESHNESS } from '../../injection-tokens.ts';
import { IsId } from '../../operation/fields.ts';
import { type Call, DeclareOperation, FREE, type Operation, type Result } from '../../operation/operation.ts';
import { whole } from '../../operation/schema.ts';
import { findPerson } from '../../people/find-person.ts';
import { notFound, unavailable } from '../../problem/problem.ts';
import { authorityOf } from '../authority-of.ts';
import { ListTokens } from '../queries.ts';
import { DecideToken, oneOfSeveral } from '../token-commands.ts';
import { tokenProblem } from '../token-problem.ts';

const FRESH_WITHIN_MS = 2_000;
const PAGE = 200;
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
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(FRESHNESS) private readonly freshness: Freshness,
  ) {}

  async run({ id, reason, note }: RevokeTokensOfPersonInput, call: Call): Promise<Result> {
    if ((await findPerson(this.log, call.token.workspace, id)) === null)
      return notFound('There is no such person here.');
    // Every token made before this call must be in the list.
    const head = await this.log.head();
    if (head !== null && (await this.freshness.waitFor('tokens', head, FRESH_WITHIN_MS)) !== 'reached') {
      return unavailable('The list of tokens has not got that far yet.');
    }
    const command = {
      type: 'RevokeToken',
      reason: reason ?? 'offboarding',
      note: note ?? null,
      giver: authorityOf(call.token),
      nowMs: call.nowMs,
    } as const;
    const waiting = new Set(await this.#livingTokens(call.token.workspace, id));
    // The caller's own goes last: with it the right to end the others ends.
    if (waiting.delete(call.token.id)) waiting.add(call.token.id);
    const revoked: string[] = [];
    for (const token of waiting) {
      const context = oneOfSeveral(call.append(`token/${token}`));
      const outcome = await this.commands.execute(new DecideToken(token, command, context));
      if (outcome.kind !== 'done') return tokenProblem(outcome);
      if (outcome.events.length > 0) revoked.push(token);
      // Rotated since the list was made.
      const { state } = outcome;
      if (state.status !== 'none' && state.rotation !== null) waiting.add(state.rotation.successor);
    }
    return { body: { person: id, revoked } };
  }

  async #livingTokens(workspace: string, owner: string): Promise<string[]> {
    const living: string[] = [];
    for (let cursor: string | null = null; ;) {
      const page: { items: readonly { token: { id: string; status: string } }[]; next: string | null } =
        await this.queries.execute(new ListTokens({ workspace, owner, cursor, limit: PAGE }));
      living.push(...page.items.filter(({ token }) => token.status !== 'revoked').map(({ token }) => token.id));
      if (page.next === null) return living;
      cursor = page.next;
    }
  }
}
