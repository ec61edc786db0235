import { randomUUID } from 'node:crypto';
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Catalogues } from '../catalogue/catalogue.ts';
import { type AppendContext, decideAndAppend, type Outcome } from '../event-log/decide-and-append.ts';
import type { EventLog, EventMetadata } from '../event-log/event-log.ts';
import type { HotView } from '../hot-view/hot-view.ts';
import { CATALOGUES, EVENT_LOG, HOT_VIEW } from '../injection-tokens.ts';
import type { Actor } from '../person/actor.ts';
import { type RotateToken, type TokenCommand, tokenDecider, type TokenRefusal } from './decide.ts';
import { type TokenEvent, tokenStream } from './events.ts';
import { loadToken } from './load-token.ts';
import type { Token } from './token.ts';
import { successorId } from './token-id.ts';
import { type StandingToken, toViewToken } from './view-token.ts';

export type TokenOutcome = Outcome<Token, TokenEvent, TokenRefusal>;

/** Any command to one token. */
export class DecideToken extends Command<TokenOutcome> {
  constructor(
    readonly id: string,
    readonly command: TokenCommand,
    readonly context: AppendContext,
  ) {
    super();
  }
}

/** Log first, then the view, then the answer: an answered revocation is in force everywhere (P2). */
@CommandHandler(DecideToken)
export class DecideTokenHandler implements ICommandHandler<DecideToken> {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(HOT_VIEW) private readonly view: HotView,
    @Inject(CATALOGUES) private readonly catalogues: Catalogues,
  ) {}

  async execute({ id, command, context }: DecideToken): Promise<TokenOutcome> {
    const outcome = await decideAndAppend(this.log, tokenStream(id), tokenDecider, command, context);
    // Also when nothing was appended: a repeat after a failed view write must bring the view up to date.
    if (outcome.kind === 'done') await putTokens([id], this.log, this.view, this.catalogues);
    return outcome;
  }
}

export interface Rotation {
  readonly successor: StandingToken;
  readonly outcome: Extract<TokenOutcome, { kind: 'done' }>;
}

/** Makes a successor and hands over to it. */
export class HandOver extends Command<Rotation | Exclude<TokenOutcome, { kind: 'done' }> | null> {
  constructor(
    readonly id: string,
    readonly command: Omit<RotateToken, 'type' | 'successor'>,
    readonly digestOf: (successorId: string) => string,
    readonly call: { readonly ifRevision: number | undefined; append(resource: string): AppendContext },
  ) {
    super();
  }
}

const ATTEMPTS = 3;

/**
 * The successor is written first, inert; `TokenRotated` at the very revision it was copied from activates it, so it
 * can never inherit what its predecessor has meanwhile lost.
 */
@CommandHandler(HandOver)
export class HandOverHandler implements ICommandHandler<HandOver> {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(HOT_VIEW) private readonly view: HotView,
    @Inject(CATALOGUES) private readonly catalogues: Catalogues,
  ) {}

  async execute({ id, command, digestOf, call }: HandOver) {
    for (let attempt = 1; ; attempt++) {
      const standing = await loadToken(this.log, id);
      if (standing === null) return null;
      const { token, revision } = standing;
      const successor = successorId(id, command.nowMs + attempt - 1);
      const decision = tokenDecider.decide({ type: 'RotateToken', ...command, successor }, token);
      if ('refused' in decision) return { kind: 'refused', refusal: decision.refused } as const;
      if (token.status === 'revoked') throw new Error('a revoked token cannot have been rotated');
      const { ifRevision } = call;
      if (ifRevision !== undefined && ifRevision !== revision) return { kind: 'conflict', revision } as const;

      const created = await decideAndAppend(
        this.log,
        tokenStream(successor),
        tokenDecider,
        {
          type: 'CreateSuccessor',
          id: successor,
          predecessor: token,
          digest: digestOf(successor),
          nowMs: command.nowMs,
        },
        oneOfSeveral(call.append(`token/${successor}`)),
      );
      // Another rotation, begun in the same millisecond, took this very id: the next look tells whether it got through.
      const taken = created.kind === 'refused' && created.refusal.code === 'exists';
      if (taken && attempt < ATTEMPTS) continue;
      if (created.kind !== 'done') return created;
      const outcome = await decideAndAppend(
        this.log,
        tokenStream(id),
        tokenDecider,
        { type: 'RotateToken', ...command, successor },
        { ...call.append(`token/${id}`), ifRevision: revision },
      );
      if (outcome.kind === 'conflict' && ifRevision === undefined && attempt < ATTEMPTS) continue;
      if (outcome.kind !== 'done') return outcome;
      // A twin under the same key got there first: the secret made here is nobody's, the one shown there is.
      if (outcome.repeated) return { kind: 'refused', refusal: { code: 'already_rotated', successor } } as const;
      const [, heir] = await putTokens([id, successor], this.log, this.view, this.catalogues);
      return { successor: heir!, outcome };
    }
  }
}

/**
 * One of several appends of a call: the use is for the last, or for the journal, to carry, and `If-Match` is not about
 * it. Its ids are its own even under a key, so that two rotations at once can never both believe that they made the
 * successor.
 */
export function oneOfSeveral({ metadata, beforeAppend, count }: AppendContext): AppendContext {
  const { $correlationId, $causationId, schema, actor } = metadata as EventMetadata & { readonly actor: Actor };
  return {
    eventId: () => randomUUID(),
    metadata: { $correlationId, $causationId, schema, actor },
    ...(beforeAppend && { beforeAppend }),
    ...(count && { count }),
  };
}

/** Brings the view up to what the log says of these tokens. @throws ViewUnavailable */
export async function putTokens(
  ids: readonly string[],
  log: EventLog,
  view: HotView,
  catalogues: Catalogues,
): Promise<StandingToken[]> {
  const standing = (await Promise.all(ids.map((id) => loadToken(log, id)))).filter((token) => token !== null);
  await view.put(standing.map((token) => toViewToken(token, catalogues)));
  return standing;
}
