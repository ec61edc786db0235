import { Inject, Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { Catalogues } from '../catalogue/catalogue.ts';
import type { EventLog } from '../event-log/event-log.ts';
import type { HotView } from '../hot-view/hot-view.ts';
import { CATALOGUES, EVENT_LOG, HOT_VIEW } from '../injection-tokens.ts';
import { LastUsed } from '../usage/queries.ts';
import { loadToken } from './load-token.ts';
import { toRecord, type TokenRecord, usedOf } from './record.ts';
import type { StandingToken } from './view-token.ts';

/** A token's record now: its life from the log itself, its windows from the view, its last use from the index. */
@Injectable()
export class TokenRecords {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(HOT_VIEW) private readonly view: HotView,
    @Inject(CATALOGUES) private readonly catalogues: Catalogues,
    private readonly queries: QueryBus,
  ) {}

  /** Null when there is none in the workspace: beyond it nothing exists (P13). */
  async find(id: string, workspace: string, atMs?: number): Promise<StandingToken | null> {
    const standing = await loadToken(this.log, id, atMs);
    return standing?.token.workspace === workspace ? standing : null;
  }

  async record(standing: StandingToken, nowMs: number): Promise<TokenRecord> {
    const { id } = standing.token;
    const [usage] = await this.view.usage([id]);
    const lastUsed = await this.queries.execute(new LastUsed([id]));
    const used = usage === undefined ? { reads: 0, writes: 0 } : usedOf(usage);
    return toRecord(standing, this.catalogueOf(standing), used, lastUsed.get(id) ?? null, nowMs);
  }

  catalogueOf({ token }: StandingToken) {
    const catalogue = this.catalogues.named(token.catalogue);
    if (catalogue === null) throw new Error(`the catalogue ${token.catalogue} of token ${token.id} is not loaded`);
    return catalogue;
  }
}
