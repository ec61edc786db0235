import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { AtHead } from '../../operation/at-head.ts';
import type { Call } from '../../operation/operation.ts';
import { type FoundComment, GetComment } from './queries.ts';

/**
 * The report a comment lies in. A comment just written may not be in the read model yet, and a write must not say 404
 * of it: before it does, the read model is waited for.
 */
@Injectable()
export class FindComment {
  constructor(
    private readonly queries: QueryBus,
    private readonly atHead: AtHead,
  ) {}

  async byId(id: string, call: Call): Promise<FoundComment | null> {
    const query = new GetComment({ workspace: call.token.workspace, id, nowMs: call.nowMs });
    const found = await this.queries.execute(query);
    if (found !== null) return found;
    await this.atHead.of('reports');
    return this.queries.execute(query);
  }
}
