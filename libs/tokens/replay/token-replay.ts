import type { Catalogue } from '../../catalogue/catalogue.ts';
import type { RecordedEvent } from '../../event-log/event-log.ts';
import type { ViewCompany } from '../../hot-view/hot-view.ts';
import { COMPANY_PREFIX, type CompanyEvent } from '../../toado/companies/events.ts';
import { type TokenUseEnded, type TokenUsesDenied, useOf } from '../../usage/use.ts';
import { WINDOW_BUCKETS } from '../../window/window.ts';
import { evolveCompany } from '../company-limits.ts';
import { eventTimeMs } from '../event-time.ts';
import { TOKEN_PREFIX, type TokenEvent } from '../events.ts';
import { companyOf, limitsInForce, NO_LIMITS } from '../limits.ts';
import { toRecord, type TokenRecord } from '../record.ts';
import { evolve, noToken, type Token } from '../token.ts';
import { lineageKey } from '../token-id.ts';

interface PlayedUse {
  readonly timeMs: number;
  readonly budget: string;
  readonly cost: number;
  readonly windowSecond: number;
}

/** How long before an instant a use may have been metered and lie in its window still. */
const LOOK_BACK_MS = 2 * WINDOW_BUCKETS * 1000;
/** How much later than a use another process's, of an earlier time, may be recorded. */
const OUT_OF_ORDER_MS = 60_000;

/**
 * A token's record at any instant, from the log's events alone, in their order (P10): no clock, no view, no read model.
 * Holds its lineage, companies' limits, and the uses of the last two minutes.
 */
export class TokenReplay {
  readonly #id: string;
  readonly #lineage: string;
  readonly #untilMs: number;
  readonly #tokens = new Map<string, Token>();
  readonly #companies = new Map<string, ViewCompany>();
  /** Streams of which an event lies beyond the instant: what follows in them does, too. */
  readonly #ended = new Set<string>();
  #uses = new Map<string, PlayedUse>();
  #newestMs = 0;
  #lastUsedAt: string | null = null;

  /** @param untilMs the instant that is asked for; Infinity: every instant, one after another */
  constructor(id: string, untilMs = Infinity) {
    this.#id = id;
    this.#lineage = lineageKey(id);
    this.#untilMs = untilMs;
  }

  /** Whether the event told something of the token or its lineage. */
  play(event: RecordedEvent): boolean {
    if (event.stream.startsWith(COMPANY_PREFIX)) this.#playCompany(event);
    const ofLife = event.stream.startsWith(TOKEN_PREFIX) && this.#playLife(event);
    return this.#playUse(event) || ofLife;
  }

  /** Null before the token was made. */
  recordAt(
    catalogueOf: (token: { readonly id: string; readonly catalogue: string }) => Catalogue,
    atMs: number,
  ): TokenRecord | null {
    const token = this.#tokens.get(this.#id) ?? noToken;
    if (token.status === 'none') return null;
    const catalogue = catalogueOf(token);
    const limits = limitsInForce(token.limits, this.#companyLimits(token), catalogue.limits);
    return toRecord({ token, activated: this.#isActivated(token) }, limits, this.#usedAt(atMs), this.#lastUsedAt, atMs);
  }

  #companyLimits({ restrict, workspace }: Exclude<Token, { status: 'none' }>) {
    const company = this.#companies.get(companyOf(restrict) ?? '');
    return company?.workspace === workspace ? company.limits : NO_LIMITS;
  }

  #isActivated({ predecessor }: Exclude<Token, { status: 'none' }>): boolean {
    if (predecessor === null) return true;
    const before = this.#tokens.get(predecessor) ?? noToken;
    return before.status !== 'none' && before.rotation?.successor === this.#id;
  }

  #usedAt(atMs: number): { readonly reads: number; readonly writes: number } {
    const second = Math.floor(atMs / 1000);
    const used = { reads: 0, writes: 0 };
    for (const { timeMs, budget, cost, windowSecond } of this.#uses.values()) {
      if (timeMs > atMs || timeMs <= atMs - LOOK_BACK_MS || windowSecond <= second - WINDOW_BUCKETS) continue;
      if (budget === 'reads' || budget === 'writes') used[budget] += cost;
    }
    return used;
  }

  #playLife(event: RecordedEvent): boolean {
    const id = event.stream.slice(TOKEN_PREFIX.length);
    if (lineageKey(id) !== this.#lineage || this.#isBeyond(event)) return false;
    this.#tokens.set(id, evolve(this.#tokens.get(id) ?? noToken, event as RecordedEvent & TokenEvent));
    return true;
  }

  #playCompany(event: RecordedEvent): void {
    if (this.#isBeyond(event)) return;
    const company = evolveCompany(this.#companies.get(event.stream) ?? null, event as RecordedEvent & CompanyEvent);
    if (company === null) return;
    this.#companies.set(company.id, company);
    this.#companies.set(event.stream, company);
  }

  #isBeyond(event: RecordedEvent): boolean {
    if (!this.#ended.has(event.stream) && eventTimeMs(event) <= this.#untilMs) return false;
    this.#ended.add(event.stream);
    return true;
  }

  #playUse(event: RecordedEvent): boolean {
    const use = useOf(event);
    if (use === null) return this.#playOtherUse(event);
    const timeMs = Date.parse(use.time);
    if (lineageKey(use.token) !== this.#lineage || timeMs > this.#untilMs) return false;
    if (use.token === this.#id) this.#used(use.time);
    // A write of several events carries its use in each of them.
    const key = `${use.request_id} ${use.token} ${use.time} ${use.operation}`;
    const known = this.#uses.has(key);
    if (this.#untilMs === Infinity || timeMs > this.#untilMs - LOOK_BACK_MS) {
      this.#uses.set(key, { timeMs, budget: use.budget, cost: use.cost, windowSecond: use.window_second });
    }
    this.#forget(timeMs);
    return !known;
  }

  /** Counted refusals and the ends of long answers take nothing, but are uses. */
  #playOtherUse({ type, data }: RecordedEvent): boolean {
    if (type !== 'TokenUsesDenied' && type !== 'TokenUseEnded') return false;
    const known = data as TokenUsesDenied['data'] | TokenUseEnded['data'];
    const time = 'to' in known ? known.to : known.time;
    if (known.token !== this.#id || Date.parse(time) > this.#untilMs) return false;
    this.#used(time);
    return true;
  }

  #used(time: string): void {
    if (this.#lastUsedAt === null || time > this.#lastUsedAt) this.#lastUsedAt = time;
  }

  /** Memory is that of two minutes, however long the log is. */
  #forget(timeMs: number): void {
    const tooOldMs = this.#newestMs - LOOK_BACK_MS - OUT_OF_ORDER_MS;
    if (timeMs <= this.#newestMs) return;
    this.#newestMs = timeMs;
    for (const [key, use] of this.#uses) {
      if (use.timeMs > tooOldMs) break;
      this.#uses.delete(key);
    }
  }
}
