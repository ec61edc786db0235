import { Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { IsBoolean, IsOptional } from 'class-validator';
import { load } from '../../event-log/decide-and-append.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import { EVENT_LOG, MAINTAINED_VIEWS } from '../../injection-tokens.ts';
import { IsId } from '../../operation/fields.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../operation/operation.ts';
import { whole } from '../../operation/schema.ts';
import { orderErasure, rebuildWithoutErased } from '../../privacy/erasures.ts';
import { PersonKeys } from '../../privacy/person-keys.ts';
import { conflict, invalid, isProblem, notFound } from '../../problem/problem.ts';
import type { MaintainedView } from '../../projection/maintained-view.ts';
import { TokensOfPerson } from '../../tokens/tokens-of-person.ts';
import { personDecider } from '../decide.ts';
import { personStream } from '../events.ts';
import { founderOf } from '../find-person.ts';
import { DecidePerson, personProblem } from '../person-commands.ts';

export class ErasePersonInput {
  @IsId()
  id!: string;

  /** The same id once more: there is no way back. */
  @IsId()
  confirm!: string;

  /** Ends what tokens they still have; without it, somebody with living tokens is not erased. */
  @IsOptional()
  @IsBoolean()
  revoke_tokens?: boolean;
}

/**
 * In this order, so that whatever it breaks off at, asking again finishes it: the order, durable; the key destroyed; the
 * hot view; every read model built anew; the person's own stream. A start does the second and the fourth by itself.
 */
@DeclareOperation({
  name: 'erase_person',
  title: 'Erase a person',
  summary:
    'Destroys the key of a person’s data, for good: name, labels, client names and addresses read [erased] from the log on, and every read model is built anew without them. What they did stays, and proofs still hold. Cut short, ask again.',
  catalogue: 'writ',
  scope: 'writ/people:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/admin/people/:id/erase' },
  input: ErasePersonInput,
  output: whole({
    person: { type: 'string' },
    revoked: { type: 'array', items: { type: 'string' }, description: 'Ids of the tokens this call ended.' },
    rebuilding: {
      type: 'array',
      items: { type: 'string' },
      description: 'Projections that are being built anew; until each has switched, it shows what it held.',
    },
  }),
  effect: 'destroys',
  inRoutines: false,
  resource: ({ id }) => `person/${id}`,
})
export class ErasePersonOperation implements Operation<ErasePersonInput> {
  constructor(
    private readonly commands: CommandBus,
    private readonly tokens: TokensOfPerson,
    private readonly keys: PersonKeys,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(MAINTAINED_VIEWS) private readonly views: readonly MaintainedView[],
  ) {}

  async run({ id, confirm, revoke_tokens = false }: ErasePersonInput, call: Call): Promise<Result> {
    const { workspace, owner } = call.token;
    if (confirm !== id) return invalid([{ field: 'confirm', message: 'must be the person’s id' }]);
    const founder = await founderOf(this.log, workspace, id);
    if (founder === null && !(await this.#isOf(workspace, id))) return notFound('There is no such person here.');
    // What they call by is theirs, and this call is to be recorded of somebody.
    if (owner.id === id) return conflict('Nobody erases themselves: somebody else with people:write must.');
    const owned = await this.tokens.list(workspace, id);
    if (isProblem(owned)) return owned;
    const living = owned.filter(({ status }) => status !== 'revoked').map((token) => token.id);
    if (living.length > 0 && !revoke_tokens) {
      return conflict(`They own ${living.length} living tokens: revoke them first, or with it (revoke_tokens).`);
    }
    const revoked = await this.tokens.revoke(living, { reason: 'offboarding', note: null }, call);
    if (isProblem(revoked)) return revoked;

    const context = call.append(`person/${id}`);
    await context.beforeAppend?.();
    const at = new Date(call.nowMs).toISOString();
    await orderErasure(this.log, { person: id, workspace, at }, call.actor);
    await this.keys.erase(id);
    await this.tokens.put([...new Set([...owned.map((token) => token.id), ...revoked])]);
    const rebuilding = await rebuildWithoutErased(this.views, this.keys, [id]);
    const command = { type: 'ErasePerson', founder, workspace, at } as const;
    const outcome = await this.commands.execute(new DecidePerson(id, command, context));
    if (outcome.kind !== 'done') return personProblem(outcome);
    const { revision, position, repeated } = outcome;
    return { body: { person: id, revoked, rebuilding }, revision, position: repeated ? null : position };
  }

  /** Somebody of the workspace, erased or not. */
  async #isOf(workspace: string, id: string): Promise<boolean> {
    const { state } = await load(this.log, personStream(id), personDecider);
    return state.status !== 'none' && state.workspace === workspace;
  }
}
