import { Inject, Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { EventLog } from '../../event-log/event-log.ts';
import type { Freshness } from '../../gate/freshness.ts';
import { EVENT_LOG, FRESHNESS } from '../../injection-tokens.ts';
import type { Call } from '../../operation/operation.ts';
import { type FoundComment, GetComment } from './queries.ts';

const WAIT_MS = 2_000;

/**
 * The report a comment lies in. A comment just written may not be in the read model yet, and a write must not say 404
 * of it: before it does, the read model is waited for.
 */
@Injectable()
export class FindComment {
  constructor(
    private readonly queries: QueryBus,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(FRESHNESS) private readonly freshness: Freshness,
  ) {}

  async byId(id: string, call: Call): Promise<FoundComment | null> {
    const query = new GetComment({ workspace: call.token.workspace, id, nowMs: call.nowMs });
    const found = await this.queries.execute(query);
    if (found !== null) return found;
    const head = await this.log.head();
    if (head === null) return null;
    await this.freshness.waitFor('reports', head, WAIT_MS);
    return this.queries.execute(query);
  }
}
