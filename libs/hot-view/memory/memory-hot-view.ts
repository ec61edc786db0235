import { isDeepStrictEqual } from 'node:util';
import type { Position } from '../../event-log/event-log.ts';
import { lineageKey } from '../../tokens/token-id.ts';
import type { Budget } from '../../usage/use.ts';
import { Window } from '../../window/window.ts';
import { companyKey } from '../company-key.ts';
import {
  type Admission,
  type CeilingReading,
  HANDSHAKES_PER_MINUTE,
  type HotView,
  type Pass,
  type RefusalReason,
  REFUSALS_PER_MINUTE,
  type Standing,
  type UsageReading,
  type Verdict,
  type ViewCompany,
  type ViewToken,
  ViewUnavailable,
  type ViewWorkspace,
} from '../hot-view.ts';
import type { Counted, HotViewInspection, Mending, Unlike } from '../inspection.ts';
import type { HotViewMaintenance, RecordedCeilingUse, RecordedUse } from '../maintenance.ts';
import { type Workspace, Workspaces } from './ceilings.ts';
import { CompanyLimits } from './company-limits.ts';
import { Interner } from './interner.ts';
import { takenFrom } from './taken.ts';
import { unlikeKeys } from './unlike-keys.ts';
import { newId } from '../../ids/new-id.ts';

/** Windows of a lineage, each made when first taken from. */
interface Windows {
  reads?: Window;
  writes?: Window;
  handshakes?: Window;
  refusals?: Window;
}

interface Entry {
  /** With its limits in force. */
  token: ViewToken;
  written: ViewToken;
  readonly windows: Windows;
  /** Of the token as it was written. */
  workspace: Workspace;
}

type MeteredBudget = 'reads' | 'writes' | 'handshakes';

const IDS_A_PAGE = 1_000;
const NOBODY = '0'.repeat(64);
const RETRY_NOT_READY_SECONDS = 1;
const RETRY_DEAD_SECONDS = 60;

/**
 * The hot view of one process, in its memory: nothing on the way of a call is awaited. Windows count on the monotonic
 * clock, placed on the wall clock once, at the start.
 */
export class MemoryHotView implements HotView, HotViewMaintenance {
  readonly inspection: HotViewInspection = {
    ids: () => this.#ids(),
    unlike: (tokens) => tokens.flatMap((token) => this.#unlike(token)),
    mend: (tokens) => tokens.forEach((mending) => this.#mend(mending)),
    forget: (id) => this.#forget(id),
    unlikeCompanies: (companies) => unlikeKeys(this.#companies.all, byKey(companies)),
    mendCompany: (key, company) => {
      for (const entry of this.#companies.replace(key, company)) this.#putInForce(entry);
    },
    unlikeWorkspaces: (workspaces) =>
      unlikeKeys(this.#workspaces.held, new Map(workspaces.map((workspace) => [workspace.id, workspace]))),
    mendWorkspace: (id, workspace) => this.#workspaces.of(id).hold(workspace),
    counted: (ids) => ids.map((id) => this.#counted(id)),
    countedCeilings: (workspaces) => workspaces.map((id) => this.#countedCeiling(id)),
  };
  readonly #entries = new Map<string, Entry>();
  readonly #windows = new Map<string, Windows>();
  /** The version up to which a token's events were not understood. */
  readonly #parked = new Map<string, number>();
  readonly #companies = new CompanyLimits<Entry>();
  readonly #workspaces = new Workspaces();
  readonly #interner = new Interner();
  readonly #clock: () => number;
  readonly #wallClock: () => number;
  readonly #epoch = newId();
  #certified = false;
  #catalogues = '';

  /**
   * @param clock what windows count by: milliseconds since 1970, never running back
   * @param wallClock what an expiry is held against, too: whichever is later, so that no clock gives a token more time
   */
  constructor(clock: () => number = monotonicWallClock(), wallClock: () => number = Date.now) {
    this.#clock = clock;
    this.#wallClock = wallClock;
  }

  admit({ id, digest, scope, cost }: Admission): Verdict {
    if (!this.#certified) return this.#notReady('it is being built');
    const entry = this.#entries.get(id);
    // The same work whether the id is known or not.
    const known = sameDigest(digest, entry?.token.digest ?? NOBODY);
    if (this.#parked.has(id) && (known || entry === undefined))
      return this.#notReady('the events of this token are not understood');
    if (entry === undefined || !known) return { kind: 'unknown' };

    const nowMs = this.#clock();
    const second = Math.floor(nowMs / 1000);
    const { token, windows } = entry;
    if (token.status === 'parked') return this.#notReady('the catalogue of this token is not loaded');
    const dead = deathOf(token, Math.max(nowMs, this.#wallClock()));
    if (dead !== null) return this.#refuse(entry, dead, second, [], RETRY_DEAD_SECONDS);
    if (scope !== null && !token.grants.includes(scope)) return this.#refuse(entry, 'missing_scope', second, [], 1);

    const readsShort = short(windows.reads, cost.reads, token.limits.reads, second);
    const writesShort = short(windows.writes, cost.writes, token.limits.writes, second);
    const handshakesShort = short(windows.handshakes, cost.handshakes, HANDSHAKES_PER_MINUTE, second);
    if (readsShort + writesShort + handshakesShort > 0) {
      const which: MeteredBudget[] = [];
      if (readsShort > 0) which.push('reads');
      if (writesShort > 0) which.push('writes');
      if (handshakesShort > 0) which.push('handshakes');
      return this.#refuse(entry, 'throttled', second, which, Math.max(readsShort, writesShort, handshakesShort));
    }
    const ceiling = cost.reads + cost.writes > 0 ? entry.workspace.ceiling : null;
    if (ceiling !== null) {
      const which = ceiling.short(cost, second);
      if (which.length > 0) {
        const retryAfterSeconds = ceiling.retryAfterSeconds(cost, second, which);
        return this.#refuse(entry, 'ceiling', second, which, retryAfterSeconds, ceiling.reading(second));
      }
      ceiling.take(cost, second);
    }
    if (cost.reads > 0) (windows.reads ??= new Window()).take(second, cost.reads);
    if (cost.writes > 0) (windows.writes ??= new Window()).take(second, cost.writes);
    if (cost.handshakes > 0) (windows.handshakes ??= new Window()).take(second, cost.handshakes);
    const usage = reading(token, windows, second);
    const epoch = this.#epoch;
    if (ceiling === null) return { kind: 'admitted', token, usage, windowSecond: second, epoch };
    return {
      kind: 'admitted',
      token,
      usage: { ...usage, ceiling: ceiling.reading(second) },
      windowSecond: second,
      epoch,
      ceiling: { windowSecond: second, epoch },
    };
  }

  confirm({ token: { id }, epoch }: Pass): Standing {
    if (epoch !== this.#epoch) return 'lapsed';
    const token = this.#entries.get(id)?.token;
    return token === undefined || deathOf(token, Math.max(this.#clock(), this.#wallClock())) !== null
      ? 'dead'
      : 'stands';
  }

  get(id: string): ViewToken | null {
    return this.#entries.get(id)?.token ?? null;
  }

  put(tokens: readonly ViewToken[]): void {
    for (const token of tokens) {
      const entry = this.#entries.get(token.id);
      if (entry === undefined) {
        const written = this.#interner.token(token);
        const workspace = this.#workspaces.of(token.workspace);
        const added = { token: written, written, windows: this.#windowsOf(token.id), workspace };
        this.#entries.set(token.id, added);
        this.#putInForce(added);
      } else if (this.#supersedes(token, entry.written)) {
        this.#companies.leave(entry.written, entry);
        entry.written = this.#interner.token(token);
        this.#putInForce(entry);
      }
      // Whoever writes has understood the events up to this version.
      if (token.version >= (this.#parked.get(token.id) ?? Infinity)) this.#parked.delete(token.id);
    }
  }

  putCompanies(companies: readonly ViewCompany[]): void {
    for (const company of companies) {
      for (const entry of this.#companies.put(company)) this.#putInForce(entry);
    }
  }

  putWorkspaces(workspaces: readonly ViewWorkspace[]): void {
    for (const workspace of workspaces) this.#workspaces.put(workspace);
  }

  usage(ids: readonly string[]): UsageReading[] {
    const second = Math.floor(this.#clock() / 1000);
    return ids.map((id) => {
      const entry = this.#entries.get(id);
      return entry === undefined ? NOTHING : reading(entry.token, entry.windows, second);
    });
  }

  ceilingUsage(workspace: string): CeilingReading | null {
    return this.#workspaces.ceilingOf(workspace)?.reading(Math.floor(this.#clock() / 1000)) ?? null;
  }

  health(): { readonly ready: boolean; readonly reason: string | null } {
    return this.#certified ? { ready: true, reason: null } : { ready: false, reason: 'it is being built' };
  }

  refill(uses: Iterable<RecordedUse>): void {
    for (const windows of this.#windows.values()) {
      delete windows.reads;
      delete windows.writes;
      delete windows.handshakes;
      delete windows.refusals;
    }
    const second = Math.floor(this.#clock() / 1000);
    for (const { token, budget, cost, windowSecond } of uses) {
      if (cost > 0) (this.#windowsOf(token)[budget] ??= new Window()).refill(windowSecond, cost, second);
    }
  }

  refillCeilings(uses: Iterable<RecordedCeilingUse>): void {
    this.#workspaces.empty();
    const second = Math.floor(this.#clock() / 1000);
    for (const { workspace, budget, cost, windowSecond } of uses) {
      if (budget === 'reads' || budget === 'writes')
        this.#workspaces.of(workspace).refill(budget, windowSecond, cost, second);
    }
  }

  certify(_position: Position | null): void {
    this.#certified = true;
  }

  useCatalogues(digest: string): void {
    this.#catalogues = digest;
  }

  park(id: string, version: number): void {
    const understood = this.#entries.get(id)?.token.version ?? -1;
    if (understood < version) this.#parked.set(id, Math.max(version, this.#parked.get(id) ?? -1));
  }

  async close(): Promise<void> {
    this.#certified = false;
  }

  async *#ids(): AsyncGenerator<readonly string[]> {
    const ids = [...this.#entries.keys()];
    for (let from = 0; from < ids.length; from += IDS_A_PAGE) yield ids.slice(from, from + IDS_A_PAGE);
  }

  /** Stands for what is held; null: nothing is. */
  #seen(id: string): string | null {
    const written = this.#entries.get(id)?.written;
    return written === undefined ? null : `${written.version} ${written.catalogues} ${this.#parked.get(id) ?? ''}`;
  }

  #unlike(token: ViewToken): Unlike[] {
    const { id } = token;
    const written = this.#entries.get(id)?.written;
    if (written === undefined) return [{ id, what: 'missing', columns: [], seen: null }];
    const columns = Object.entries(token).flatMap(([name, value]) =>
      isDeepStrictEqual(value, written[name as keyof ViewToken]) ? [] : [name],
    );
    if (this.#parked.has(id)) columns.push('parked');
    return columns.length === 0 ? [] : [{ id, what: 'different', columns, seen: this.#seen(id) }];
  }

  #mend({ token, seen }: Mending): void {
    if (this.#seen(token.id) !== seen) return;
    this.#parked.delete(token.id);
    const entry = this.#entries.get(token.id);
    if (entry === undefined) {
      this.put([token]);
      return;
    }
    this.#companies.leave(entry.written, entry);
    entry.written = this.#interner.token(token);
    this.#putInForce(entry);
  }

  #forget(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#companies.leave(entry.written, entry);
    this.#entries.delete(id);
  }

  #countedCeiling(workspace: string): Counted {
    const second = this.#countingSecond();
    return { second, taken: this.#workspaces.of(workspace).taken(second) };
  }

  /** @throws ViewUnavailable where what is counted may be too little */
  #countingSecond(): number {
    if (!this.#certified) throw new ViewUnavailable('it is being built');
    return Math.floor(this.#clock() / 1000);
  }

  #counted(id: string): Counted {
    const second = this.#countingSecond();
    const windows = this.#windows.get(lineageKey(id)) ?? {};
    const taken = Object.entries(windows).flatMap(([budget, window]: [string, Window]) =>
      takenFrom(window, budget as Budget, second),
    );
    return { second, taken };
  }

  #putInForce(entry: Entry): void {
    const { written } = entry;
    entry.workspace = this.#workspaces.of(written.workspace);
    const limits = this.#companies.join(written, entry);
    entry.token = limits === written.limits ? written : this.#interner.token({ ...written, limits });
  }

  #supersedes(token: ViewToken, held: ViewToken): boolean {
    if (token.version !== held.version) return token.version > held.version;
    return token.catalogues === this.#catalogues && held.catalogues !== this.#catalogues;
  }

  #windowsOf(id: string): Windows {
    const key = lineageKey(id);
    let windows = this.#windows.get(key);
    if (windows === undefined) this.#windows.set(key, (windows = {}));
    return windows;
  }

  #notReady(reason: string): Verdict {
    return { kind: 'not-ready', reason, retryAfterSeconds: RETRY_NOT_READY_SECONDS };
  }

  /** A refusal takes from the refusals' window only. */
  #refuse(
    { token, windows }: Entry,
    reason: RefusalReason,
    second: number,
    which: readonly MeteredBudget[],
    retryAfterSeconds: number,
    ceiling?: CeilingReading,
  ): Verdict {
    const refusals = (windows.refusals ??= new Window());
    const withinRefusals = refusals.used(second) < REFUSALS_PER_MINUTE;
    if (withinRefusals) refusals.take(second, 1);
    const usage = reading(token, windows, second);
    return {
      kind: 'refused',
      reason,
      token,
      usage: ceiling === undefined ? usage : { ...usage, ceiling },
      windowSecond: second,
      short: which,
      retryAfterSeconds: withinRefusals
        ? retryAfterSeconds
        : refusals.retryAfterSeconds(second, 1, REFUSALS_PER_MINUTE),
      withinRefusals,
    };
  }
}

function deathOf(token: ViewToken, nowMs: number): RefusalReason | null {
  if (token.status === 'revoked') return 'revoked';
  if (token.expiresAtMs !== null && token.expiresAtMs <= nowMs) return 'expired';
  if (token.retiresAtMs !== null && token.retiresAtMs <= nowMs) return 'rotated';
  return token.status === 'suspended' || token.status === 'inert' ? token.status : null;
}

/** Seconds until the cost fits; 0: now. */
function short(window: Window | undefined, cost: number, limit: number, second: number): number {
  if (cost === 0) return 0;
  if (window === undefined) return cost > limit ? 61 : 0;
  return window.used(second) + cost > limit ? window.retryAfterSeconds(second, cost, limit) : 0;
}

const byKey = (companies: readonly ViewCompany[]): ReadonlyMap<string, ViewCompany> =>
  new Map(companies.map((company) => [companyKey(company.workspace, company.id), company]));

const reading = ({ limits }: ViewToken, { reads, writes }: Windows, second: number): UsageReading => ({
  reads: { limit: limits.reads, used: reads?.used(second) ?? 0, resetSeconds: reads?.resetSeconds(second) ?? 0 },
  writes: { limit: limits.writes, used: writes?.used(second) ?? 0, resetSeconds: writes?.resetSeconds(second) ?? 0 },
});

const NOTHING: UsageReading = {
  reads: { limit: 0, used: 0, resetSeconds: 0 },
  writes: { limit: 0, used: 0, resetSeconds: 0 },
};

/** Compares every character, however early two digests differ. */
function sameDigest(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < b.length; index++) difference |= a.charCodeAt(index) ^ b.charCodeAt(index);
  return difference === 0;
}

/** The monotonic clock, counted from where the wall clock stood when it was made. */
export function monotonicWallClock(): () => number {
  const startMs = Date.now() - performance.now();
  return () => startMs + performance.now();
}
