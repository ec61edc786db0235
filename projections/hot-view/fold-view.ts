import type { EventLog, RecordedEvent } from '../../libs/event-log/event-log.ts';
import type { ViewCompany, ViewWorkspace } from '../../libs/hot-view/hot-view.ts';
import type { Parked } from '../../libs/projection/build.ts';
import { COMPANY_PREFIX, type CompanyEvent } from '../../libs/toado/companies/events.ts';
import { evolveCompany } from '../../libs/tokens/company-limits.ts';
import { TOKEN_PREFIX, type TokenEvent, type TokenRotated } from '../../libs/tokens/events.ts';
import { evolve, noToken, type Token } from '../../libs/tokens/token.ts';
import type { StandingToken } from '../../libs/tokens/view-token.ts';
import { WORKSPACE_PREFIX } from '../../libs/workspace/events.ts';
import { evolveWorkspace } from '../../libs/workspace/view-workspace.ts';

/** The streams the view is built from. */
export const FOLLOWED_PREFIXES = [TOKEN_PREFIX, COMPANY_PREFIX, WORKSPACE_PREFIX];

/** What the log says that a view holds. */
export interface FoldedView {
  readonly companies: readonly ViewCompany[];
  /** Those that ever had a ceiling. */
  readonly workspaces: readonly ViewWorkspace[];
  /** In the order in which they were made; without those that are parked. */
  tokens(): Iterable<StandingToken>;
  /** By token: the last event of each that cannot be understood, and why the first of it could not. */
  readonly parked: ReadonlyMap<string, Parked>;
}

interface Folded {
  token: Token;
  revision: number;
}

export interface FoldOptions {
  /** Picks some tokens by their id, or by any of their lineage's. Default: all. */
  readonly concerns?: (id: string) => boolean;
  /** Hears of each event that is read; what it throws ends the fold. */
  readonly onEvent?: (event: RecordedEvent) => void | Promise<void>;
}

/** Every token, company and workspace of the log as they stand now. @throws LogUnavailable */
export async function foldView(
  log: EventLog,
  { concerns = () => true, onEvent }: FoldOptions = {},
): Promise<FoldedView> {
  const tokens = new Map<string, Folded>();
  const activated = new Set<string>();
  const parked = new Map<string, Parked>();
  const companies = new Map<string, ViewCompany>();
  const workspaces = new Map<string, ViewWorkspace>();
  for await (const event of log.readAll({ streamPrefixes: FOLLOWED_PREFIXES })) {
    const heard = onEvent?.(event);
    if (heard !== undefined) await heard;
    const { stream, revision, position } = event;
    if (stream.startsWith(COMPANY_PREFIX)) {
      const company = evolveCompany(companies.get(stream) ?? null, event as RecordedEvent & CompanyEvent);
      if (company !== null) companies.set(stream, company);
      continue;
    }
    if (stream.startsWith(WORKSPACE_PREFIX)) {
      const workspace = evolveWorkspace(workspaces.get(stream) ?? null, event);
      if (workspace !== null) workspaces.set(stream, workspace);
      continue;
    }
    const id = stream.slice(TOKEN_PREFIX.length);
    if (!concerns(id)) continue;
    const standsStill = parked.get(id);
    if (standsStill !== undefined) {
      parked.set(id, { ...standsStill, revision, position });
      continue;
    }
    const folded = tokens.get(id) ?? { token: noToken, revision: -1 };
    try {
      folded.token = evolve(folded.token, event as RecordedEvent & TokenEvent);
    } catch (error) {
      parked.set(id, { stream, revision, position, reason: (error as Error).message });
      continue;
    }
    folded.revision = revision;
    tokens.set(id, folded);
    const successor = successorOf(event);
    if (successor !== null) activated.add(successor);
  }
  return {
    companies: [...companies.values()],
    workspaces: [...workspaces.values()],
    parked,
    *tokens() {
      for (const [id, { token, revision }] of tokens) {
        if (token.status === 'none' || parked.has(id)) continue;
        yield { token, revision, activated: token.predecessor === null || activated.has(id) };
      }
    },
  };
}

/** The token a rotation names, which is thereby active. */
export const successorOf = (event: RecordedEvent): string | null =>
  event.type === 'TokenRotated' ? (event.data as TokenRotated['data']).successor : null;
