import type { Budget } from '../usage/use.ts';
import type { ViewCompany, ViewToken, ViewWorkspace } from './hot-view.ts';

/**
 * Looking into a view, and mending it, while it serves: nothing is emptied, no window touched, and what is newer than
 * the one who mends knows stays.
 */
export interface HotViewInspection {
  /** Ids of all tokens that are held, in pages; one written meanwhile may be missing, one may come twice. */
  ids(): AsyncIterable<readonly string[]>;
  /** Those of these tokens which the view does not hold as `put` writes them. */
  unlike(tokens: readonly ViewToken[]): readonly Unlike[] | Promise<readonly Unlike[]>;
  /** Writes a token over what is held, whatever its version, as long as that is still what `unlike` has seen. */
  mend(tokens: readonly Mending[]): void | Promise<void>;
  /** Forgets a token that no log knows: one that is known is kept for good, as a tombstone at last. Its windows stay. */
  forget(id: string): void | Promise<void>;
  /** The keys of companies that the view does not hold as `putCompanies` writes them, or holds and these are not. */
  unlikeCompanies(companies: readonly ViewCompany[]): readonly UnlikeKey[] | Promise<readonly UnlikeKey[]>;
  /** Makes what is held of one company what `putCompanies` writes, whatever its version; null: forgets it. */
  mendCompany(key: string, company: ViewCompany | null): void | Promise<void>;
  /** As of companies. */
  unlikeWorkspaces(workspaces: readonly ViewWorkspace[]): readonly UnlikeKey[] | Promise<readonly UnlikeKey[]>;
  mendWorkspace(id: string, workspace: ViewWorkspace | null): void | Promise<void>;
  /**
   * What is counted of the lineages of these tokens, in their order; nothing is taken. @throws ViewUnavailable, also
   * where the view could not answer a call
   */
  counted(ids: readonly string[]): readonly Counted[] | Promise<readonly Counted[]>;
  /** As `counted`, what was taken from these workspaces' ceilings. */
  countedCeilings(workspaces: readonly string[]): readonly Counted[] | Promise<readonly Counted[]>;
}

/** The windows of a lineage, or of a workspace. */
export interface Counted {
  /** By the view's clock, Unix: the windows reach from 60 seconds before it to this one. */
  readonly second: number;
  readonly taken: readonly Taken[];
}

/** Taken from a budget in one second, Unix. */
export interface Taken {
  readonly budget: Budget;
  readonly second: number;
  readonly cost: number;
}

export interface Unlike {
  readonly id: string;
  readonly what: 'missing' | 'different';
  /** Of what differs, by its names in the store. */
  readonly columns: readonly string[];
  /** Stands for what is held, for `mend`; null: nothing is. */
  readonly seen: string | null;
}

export interface Mending {
  readonly token: ViewToken;
  readonly seen: string | null;
}

/** Of what is kept by key: companies and workspaces. */
export interface UnlikeKey {
  /** `companyKey`, or the workspace's id. */
  readonly key: string;
  readonly what: 'missing' | 'unexpected' | 'different';
}
