import { Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Catalogues } from '../../catalogue/catalogue.ts';
import type { EventLog } from '../../event-log/event-log.ts';
import { CATALOGUES, EVENT_LOG } from '../../injection-tokens.ts';
import { findPerson } from '../../people/find-person.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../operation/operation.ts';
import type { Person } from '../../person/person.ts';
import { conflict, invalid } from '../../problem/problem.ts';
import { pinMistake } from '../../toado/pin-mistake.ts';
import { authorityOf } from '../authority-of.ts';
import { toRecord } from '../record.ts';
import { tokenWithSecretSchema } from '../schema.ts';
import { DecideToken } from '../token-commands.ts';
import { formatToken, newSecret, tokenDigest } from '../token-format.ts';
import { TokenRecords } from '../token-records.ts';
import { tokenProblem } from '../token-problem.ts';
import { CreateTokenInput } from './inputs.ts';

const NOTHING_USED = { reads: 0, writes: 0 };

@DeclareOperation({
  name: 'create_token',
  title: 'Create a token',
  summary: 'Creates a token within what the caller holds. The answer shows its secret, this once.',
  catalogue: 'writ',
  scope: 'writ/tokens:write',
  cost: WRITE,
  http: { method: 'post', path: '/api/v1/tokens', status: 201 },
  input: CreateTokenInput,
  output: tokenWithSecretSchema,
  effect: 'adds',
  showsSecret: true,
})
export class CreateTokenOperation implements Operation<CreateTokenInput> {
  constructor(
    private readonly commands: CommandBus,
    @Inject(CATALOGUES) private readonly catalogues: Catalogues,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    private readonly records: TokenRecords,
  ) {}

  async run(input: CreateTokenInput, call: Call): Promise<Result> {
    const catalogue = this.catalogues.named(input.catalogue);
    if (catalogue === null) return invalid([{ field: 'catalogue', message: 'is not known' }]);
    const owner = await this.#owner(input, call);
    if (owner === null) return invalid([{ field: 'owner', message: 'is nobody here' }]);

    const restrict = { companies: input.restrict?.companies ?? [], projects: input.restrict?.projects ?? [] };
    const misplaced = catalogue.pins === 'none' ? null : await pinMistake(this.log, call.token.workspace, restrict);
    if (misplaced !== null) return misplaced;
    const companies = await this.records.companiesOf(call.token.workspace, [restrict]);
    const id = call.newId();
    // Only the digest travels on: the secret is in no command and no event (P5).
    const token = formatToken(catalogue.prefix, id, newSecret());
    const outcome = await this.commands.execute(
      new DecideToken(
        id,
        {
          type: 'CreateToken',
          id,
          catalogue,
          kind: input.kind ?? 'agent',
          name: input.name.normalize('NFC'),
          owner,
          scopes: input.scopes,
          restrict,
          limits: { reads: input.limits?.reads?.per_minute ?? null, writes: input.limits?.writes?.per_minute ?? null },
          companies,
          expiresAtMs:
            input.expires_at === undefined || input.expires_at === null ? null : Date.parse(input.expires_at),
          digest: tokenDigest(token),
          giver: authorityOf(call.token),
          nowMs: call.nowMs,
        },
        call.append(`token/${id}`),
      ),
    );
    if (outcome.kind !== 'done') return tokenProblem(outcome);
    if (outcome.repeated)
      return conflict('This Idempotency-Key has made a token already; its secret was shown then.', id);
    if (outcome.state.status === 'none') throw new Error('a created token has no state');
    const standing = { token: outcome.state, revision: outcome.revision, activated: true };
    return {
      body: { ...toRecord(standing, await this.records.limitsOf(standing), NOTHING_USED, null, call.nowMs), token },
      revision: outcome.revision,
      position: outcome.position,
    };
  }

  /** The caller's own owner, or another person of the workspace; null: nobody here. */
  async #owner({ owner }: CreateTokenInput, { token }: Call): Promise<Person | null> {
    if (owner === undefined || owner === token.owner.id) return token.owner;
    const found = await findPerson(this.log, token.workspace, owner);
    return found === null ? null : { id: found.id, name: found.name };
  }
}
