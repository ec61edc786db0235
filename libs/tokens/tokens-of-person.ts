import { Inject } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Catalogues } from '../catalogue/catalogue.ts';
import type { EventLog } from '../event-log/event-log.ts';
import type { HotView } from '../hot-view/hot-view.ts';
import { CATALOGUES, EVENT_LOG, HOT_VIEW } from '../injection-tokens.ts';
import { AtHead } from '../operation/at-head.ts';
import type { Call } from '../operation/operation.ts';
import { type Problem, unavailable } from '../problem/problem.ts';
import { authorityOf } from './authority-of.ts';
import type { RevocationReason } from './events.ts';
import { type ListedToken, ListTokens } from './queries.ts';
import { DecideToken, oneOfSeveral, putTokens } from './token-commands.ts';
import { tokenProblem } from './token-problem.ts';

const PAGE = 200;

/** All tokens a person owns, whoever made them. */
export class TokensOfPerson {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly atHead: AtHead,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(HOT_VIEW) private readonly view: HotView,
    @Inject(CATALOGUES) private readonly catalogues: Catalogues,
  ) {}

  /** Every token made before this call, dead ones too. */
  async list(workspace: string, owner: string): Promise<readonly ListedToken['token'][] | Problem> {
    if (!(await this.atHead.of('tokens'))) return unavailable('The list of tokens has not got that far yet.');
    const tokens: ListedToken['token'][] = [];
    for (let cursor: string | null = null; ;) {
      const page: { items: readonly ListedToken[]; next: string | null } = await this.queries.execute(
        new ListTokens({ workspace, owner, cursor, limit: PAGE }),
      );
      tokens.push(...page.items.map(({ token }) => token));
      if (page.next === null) return tokens;
      cursor = page.next;
    }
  }

  /**
   * An event in each one's stream, one after the other (decision 0009). Answers the ids of those this call ended; where
   * it is cut short, asked again it goes on.
   */
  async revoke(
    ids: readonly string[],
    why: { readonly reason: RevocationReason; readonly note: string | null },
    call: Call,
  ): Promise<readonly string[] | Problem> {
    const command = { type: 'RevokeToken', ...why, giver: authorityOf(call.token), nowMs: call.nowMs } as const;
    const waiting = new Set(ids);
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
    return revoked;
  }

  /** Tells the hot view of them as they read now. @throws ViewUnavailable */
  async put(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += PAGE)
      await putTokens(ids.slice(from, from + PAGE), this.log, this.view, this.catalogues);
  }
}
