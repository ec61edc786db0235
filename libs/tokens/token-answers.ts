import { Injectable } from '@nestjs/common';
import type { Call, Result } from '../operation/operation.ts';
import { notFound } from '../problem/problem.ts';
import type { TokenOutcome } from './token-commands.ts';
import { tokenProblem } from './token-problem.ts';
import { TokenRecords } from './token-records.ts';

/** What a changed token's caller hears: its record as it is now. */
@Injectable()
export class TokenAnswers {
  constructor(private readonly records: TokenRecords) {}

  async answer(id: string, outcome: TokenOutcome, call: Call): Promise<Result> {
    if (outcome.kind !== 'done') return tokenProblem(outcome);
    const standing = await this.records.find(id, call.token.workspace);
    if (standing === null) return notFound('There is no such token here.');
    const body = await this.records.record(standing, call.nowMs);
    return {
      body,
      revision: standing.revision,
      position: outcome.repeated ? null : outcome.position,
      endsCaller: id === call.token.id && outcome.events.some(({ type }) => ENDINGS.has(type)),
    };
  }
}

const ENDINGS: ReadonlySet<string> = new Set(['TokenRevoked', 'TokenSuspended']);
