import { Inject, Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { Catalogue, Catalogues } from '../catalogue/catalogue.ts';
import type { EventLog, Position } from '../event-log/event-log.ts';
import type { Freshness } from '../gate/freshness.ts';
import type { HotView } from '../hot-view/hot-view.ts';
import { CATALOGUES, EVENT_LOG, FRESHNESS, HOT_VIEW } from '../injection-tokens.ts';
import { LastUsed, UsedAt } from '../usage/queries.ts';
import { loadCompanyLimits } from './company-limits.ts';
import type { OwnLimits, Restriction } from './events.ts';
import { type CompanyLimitsById, companyOf, type Limits, limitsInForce, limitsOfCompany } from './limits.ts';
import { loadToken } from './load-token.ts';
import { toRecord, type TokenRecord, usedOf } from './record.ts';
import type { LiveToken, RevokedToken } from './token.ts';
import type { StandingToken } from './view-token.ts';

const WAIT_MS = 2_000;

/** As much of a token as its limits depend on. */
interface Limited {
  readonly token: {
    readonly id: string;
    readonly catalogue: string;
    readonly workspace: string;
    readonly restrict: Restriction;
    readonly limits: OwnLimits;
  };
}

/** Tokens' records: the life from the log itself, the windows from the view, uses from their index. */
@Injectable()
export class TokenRecords {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(HOT_VIEW) private readonly view: HotView,
    @Inject(CATALOGUES) private readonly catalogues: Catalogues,
    @Inject(FRESHNESS) private readonly freshness: Freshness,
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
    return toRecord(standing, await this.limitsOf(standing), used, lastUsed.get(id) ?? null, nowMs);
  }

  /** As it was at an instant: from the events up to it, its recorded uses included (P10). */
  async recordAt(standing: StandingToken, atMs: number): Promise<TokenRecord> {
    const head = await this.log.head();
    if (head !== null) await this.historyReaches(head);
    const lineage = await this.#lineage(standing.token, atMs);
    const { used, lastUsedAt } = await this.queries.execute(new UsedAt({ token: standing.token.id, lineage, atMs }));
    return toRecord(standing, await this.limitsOf(standing, atMs), used, lastUsedAt, atMs);
  }

  /** Ids of the token, its ancestors and its heirs: they share windows. */
  async #lineage(token: LiveToken | RevokedToken, atMs: number): Promise<string[]> {
    const ids = [token.id];
    for (let { predecessor } = token; predecessor !== null;) {
      ids.push(predecessor);
      predecessor = (await loadToken(this.log, predecessor, atMs))?.token.predecessor ?? null;
    }
    for (let { rotation } = token; rotation !== null;) {
      ids.push(rotation.successor);
      rotation = (await loadToken(this.log, rotation.successor, atMs))?.token.rotation ?? null;
    }
    return ids;
  }

  /** Waits, within reason, until the index of uses has got to a position; false when it has not. */
  async historyReaches(position: Position): Promise<boolean> {
    return (await this.freshness.waitFor('token-uses', position, WAIT_MS)) === 'reached';
  }

  /** In force: its own, else its company's, else its catalogue's; with `atMs`, of its company's as they were then (P10). */
  async limitsOf(standing: Limited, atMs?: number): Promise<Limits> {
    const [limits] = await this.limitsOfAll([standing], atMs);
    return limits!;
  }

  /** Of tokens of one workspace. */
  async limitsOfAll(standing: readonly Limited[], atMs?: number): Promise<Limits[]> {
    const [first] = standing;
    if (first === undefined) return [];
    const restrictions = standing.map(({ token }) => token.restrict);
    const companies = await this.companiesOf(first.token.workspace, restrictions, atMs);
    return standing.map((each) => {
      const { limits, restrict } = each.token;
      return limitsInForce(limits, limitsOfCompany(restrict, companies), this.catalogueOf(each).limits);
    });
  }

  /** The limits of all companies that tokens of the workspace are, or are to be, pinned to. */
  companiesOf(workspace: string, restrictions: readonly Restriction[], atMs?: number): Promise<CompanyLimitsById> {
    const ids = restrictions.map(companyOf).filter((id) => id !== null);
    return loadCompanyLimits(this.log, workspace, ids, atMs);
  }

  catalogueOf({ token }: { readonly token: { readonly id: string; readonly catalogue: string } }): Catalogue {
    const catalogue = this.catalogues.named(token.catalogue);
    if (catalogue === null) throw new Error(`the catalogue ${token.catalogue} of token ${token.id} is not loaded`);
    return catalogue;
  }
}
