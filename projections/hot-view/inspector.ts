import { setTimeout as sleep } from 'node:timers/promises';
import type { Catalogues } from '../../libs/catalogue/catalogue.ts';
import { type EventLog, LogUnavailable } from '../../libs/event-log/event-log.ts';
import { companyKey } from '../../libs/hot-view/company-key.ts';
import type { HotView, ViewCompany, ViewToken, ViewWorkspace } from '../../libs/hot-view/hot-view.ts';
import type { HotViewInspection, Unlike, UnlikeKey } from '../../libs/hot-view/inspection.ts';
import type { Difference } from '../../libs/projection/build.ts';
import { loadViewCompany } from '../../libs/tokens/company-limits.ts';
import { tokenStream } from '../../libs/tokens/events.ts';
import { loadToken } from '../../libs/tokens/load-token.ts';
import { toViewToken } from '../../libs/tokens/view-token.ts';
import { loadViewWorkspace } from '../../libs/workspace/view-workspace.ts';

/** Only looked at, or mended as well. */
export type Mode = 'compare' | 'mend';

export interface InspectorOptions {
  readonly log: EventLog;
  readonly view: HotView & { readonly inspection: HotViewInspection };
  readonly catalogues: Catalogues;
}

/** A write is in the log before it is in the view: what differs is looked at again, as the log has it then. */
const LOOKS = 5;
const BETWEEN_LOOKS_MS = 100;

/** How what is kept by key is looked at, written, and read from the log (null: it knows of none). */
interface KeptByKey<Kept> {
  unlike(all: readonly Kept[]): readonly UnlikeKey[] | Promise<readonly UnlikeKey[]>;
  mend(key: string, kept: Kept | null): void | Promise<void>;
  put(kept: Kept): void | Promise<void>;
  load(key: string): Promise<Kept | null>;
}

/** Holds a view that serves against the log. Each answers the first difference; null: none. Throws ViewUnavailable, LogUnavailable. */
export class Inspector {
  readonly #options: InspectorOptions;

  constructor(options: InspectorOptions) {
    this.#options = options;
  }

  /** @param tokens as the log had them a while ago */
  async tokens(tokens: readonly ViewToken[], mode: Mode): Promise<Difference | null> {
    const unlike = await this.#options.view.inspection.unlike(tokens);
    let first: Difference | null = null;
    for (const each of unlike) {
      const difference = mode === 'mend' ? await this.#mend(each.id) : await this.#differs(each.id);
      first ??= difference;
    }
    return first;
  }

  /** Tokens that are held and the log does not know. @param known by their ids, those that need not be looked up */
  async unknown(known: ReadonlySet<string>, mode: Mode, signal: AbortSignal): Promise<Difference | null> {
    const { view, log } = this.#options;
    let first: Difference | null = null;
    for await (const ids of view.inspection.ids()) {
      signal.throwIfAborted();
      for (const id of ids) {
        // Made since, where the log knows it now: it is written to the log first.
        if (known.has(id) || (await isInLog(log, id))) continue;
        first ??= { table: 'tokens', key: { id }, what: 'unexpected', columns: [] };
        if (mode === 'mend') await view.inspection.forget(id);
      }
    }
    return first;
  }

  companies(companies: readonly ViewCompany[], mode: Mode): Promise<Difference | null> {
    const { log, view } = this.#options;
    const byKey = new Map(companies.map((company) => [companyKey(company.workspace, company.id), company]));
    return this.#kept('companies', 'company', byKey, mode, {
      unlike: (all) => view.inspection.unlikeCompanies(all),
      mend: (key, company) => view.inspection.mendCompany(key, company),
      put: (company) => view.putCompanies([company]),
      async load(key) {
        const company = await loadViewCompany(log, key.slice(key.lastIndexOf('/') + 1));
        return company !== null && companyKey(company.workspace, company.id) === key ? company : null;
      },
    });
  }

  workspaces(workspaces: readonly ViewWorkspace[], mode: Mode): Promise<Difference | null> {
    const { log, view } = this.#options;
    const byKey = new Map(workspaces.map((workspace) => [workspace.id, workspace]));
    return this.#kept('workspaces', 'workspace', byKey, mode, {
      unlike: (all) => view.inspection.unlikeWorkspaces(all),
      mend: (id, workspace) => view.inspection.mendWorkspace(id, workspace),
      put: (workspace) => view.putWorkspaces([workspace]),
      load: (id) => loadViewWorkspace(log, id),
    });
  }

  /** What is kept by key. @param byKey as the log had it a while ago; what differs is read again */
  async #kept<Kept>(
    table: string,
    keyName: string,
    byKey: Map<string, Kept>,
    mode: Mode,
    { unlike, mend, put, load }: KeptByKey<Kept>,
  ): Promise<Difference | null> {
    const reload = async (key: string): Promise<void> => {
      const kept = await load(key);
      if (kept !== null) byKey.set(key, kept);
    };
    let found = await unlike([...byKey.values()]);
    for (let look = 1; look < LOOKS && found.length > 0; look++) {
      for (const { key } of found) await reload(key);
      found = await unlike([...byKey.values()]);
      if (found.length > 0) await sleep(BETWEEN_LOOKS_MS);
    }
    for (const { key } of mode === 'mend' ? found : []) {
      await mend(key, byKey.get(key) ?? null);
      // A write of these moments may have been written over.
      await reload(key);
      const kept = byKey.get(key);
      if (kept !== undefined) await put(kept);
    }
    const [first] = found;
    if (first === undefined) return null;
    const columns = first.what === 'different' ? ['limits'] : [];
    return { table, key: { [keyName]: first.key }, what: first.what, columns };
  }

  /** Whether a token still is not what the log says, looked at anew. */
  async #differs(id: string): Promise<Difference | null> {
    for (let look = 1; ; look++) {
      const unlike = (await this.#look(id)).unlike;
      if (unlike === null) return null;
      if (look === LOOKS) return differenceOf(unlike);
      await sleep(BETWEEN_LOOKS_MS);
    }
  }

  /** Looked at again after each write: what the log got meanwhile was perhaps taken for older than what was held. */
  async #mend(id: string): Promise<Difference | null> {
    const { inspection } = this.#options.view;
    let first: Difference | null = null;
    for (let look = 1; look <= LOOKS; look++) {
      const { token, unlike } = await this.#look(id);
      if (unlike === null || token === null) return first;
      first ??= differenceOf(unlike);
      await inspection.mend([{ token, seen: unlike.seen }]);
    }
    return first;
  }

  /** A token that is not understood stands still in the view, and nothing is said of it. */
  async #look(id: string): Promise<{ readonly token: ViewToken | null; readonly unlike: Unlike | null }> {
    const { log, view, catalogues } = this.#options;
    let token: ViewToken;
    try {
      const standing = await loadToken(log, id);
      if (standing === null) return { token: null, unlike: null };
      token = toViewToken(standing, catalogues);
    } catch (error) {
      if (error instanceof LogUnavailable) throw error;
      return { token: null, unlike: null };
    }
    const [unlike = null] = await view.inspection.unlike([token]);
    return { token, unlike };
  }
}

async function isInLog(log: EventLog, id: string): Promise<boolean> {
  for await (const _event of log.readStream(tokenStream(id), { limit: 1 })) return true;
  return false;
}

const differenceOf = ({ id, what, columns }: Unlike): Difference => ({ table: 'tokens', key: { id }, what, columns });
