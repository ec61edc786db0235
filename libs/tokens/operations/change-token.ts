import { Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { EventLog } from '../../event-log/event-log.ts';
import { EVENT_LOG } from '../../injection-tokens.ts';
import { budgetsOf } from '../../operation/limit-input.ts';
import { type Call, DeclareOperation, type Operation, type Result, WRITE } from '../../operation/operation.ts';
import { notFound } from '../../problem/problem.ts';
import { pinMistake } from '../../toado/pin-mistake.ts';
import { authorityOf } from '../authority-of.ts';
import type { ChangeToken } from '../decide.ts';
import { tokenRecordSchema } from '../schema.ts';
import { TokenAnswers } from '../token-answers.ts';
import { DecideToken } from '../token-commands.ts';
import { TokenRecords } from '../token-records.ts';
import { ChangeTokenInput } from './inputs.ts';

@DeclareOperation({
  name: 'change_token',
  title: 'Change a token',
  summary:
    'Changes name, scopes, restriction, limits or expiry. Narrowing is always allowed; widening only within what the caller holds.',
  catalogue: 'writ',
  scope: 'writ/tokens:write',
  cost: WRITE,
  http: { method: 'patch', path: '/api/v1/tokens/:id' },
  input: ChangeTokenInput,
  output: tokenRecordSchema,
  effect: 'changes',
  resource: ({ id }) => `token/${id}`,
})
export class ChangeTokenOperation implements Operation<ChangeTokenInput> {
  constructor(
    private readonly commands: CommandBus,
    private readonly records: TokenRecords,
    private readonly answers: TokenAnswers,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  async run(input: ChangeTokenInput, call: Call): Promise<Result> {
    const standing = await this.records.find(input.id, call.token.workspace);
    if (standing === null) return notFound('There is no such token here.');
    const { workspace, restrict: pinned } = standing.token;
    const restrict = input.restrict && {
      companies: input.restrict.companies ?? [],
      projects: input.restrict.projects ?? [],
    };
    const catalogue = this.records.catalogueOf(standing);
    const misplaced =
      restrict === undefined || catalogue.pins === 'none' ? null : await pinMistake(this.log, workspace, restrict);
    if (misplaced !== null) return misplaced;
    const command: ChangeToken = {
      type: 'ChangeToken',
      catalogue,
      companies: await this.records.companiesOf(workspace, restrict === undefined ? [pinned] : [pinned, restrict]),
      ...(input.name === undefined ? {} : { name: input.name.normalize('NFC') }),
      ...(input.scopes === undefined ? {} : { scopes: input.scopes }),
      ...(restrict === undefined ? {} : { restrict }),
      ...(input.limits === undefined ? {} : { limits: budgetsOf(input.limits) }),
      ...(input.expires_at === undefined
        ? {}
        : { expiresAtMs: input.expires_at === null ? null : Date.parse(input.expires_at) }),
      giver: authorityOf(call.token),
      nowMs: call.nowMs,
    };
    const outcome = await this.commands.execute(new DecideToken(input.id, command, call.append(`token/${input.id}`)));
    return this.answers.answer(input.id, outcome, call);
  }
}
