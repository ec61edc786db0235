/** What a token did, call by call (DESIGN §3). Field names are the stored and exported ones. */

export type Face = 'rest' | 'mcp' | 'routine' | 'cli';

/** What a call takes from. Refusals have a window of their own, so that being refused costs nothing of the others. */
export const BUDGETS = ['reads', 'writes', 'handshakes', 'refusals'] as const;
export type Budget = (typeof BUDGETS)[number];

export interface TokenUse {
  readonly token: string;
  readonly workspace: string;
  /** RFC 3339. */
  readonly time: string;
  readonly face: Face;
  readonly operation: string;
  /** `report/01J…`, or null where the operation touches no single thing. */
  readonly resource: string | null;
  readonly decision: 'allowed' | 'refused';
  /** Why it was refused (`missing_scope`, `throttled`, …); null when allowed. */
  readonly reason: string | null;
  /** HTTP status of the answer, on whichever face. */
  readonly status: number;
  readonly duration_ms: number;
  readonly request_id: string;
  readonly client_address: string;
  readonly client_name: string;
  readonly budget: Budget;
  readonly cost: number;
  /** Second of the view's clock the call was metered in (Unix seconds): what a rebuild of the windows counts by. */
  readonly window_second: number;
  /** The same of its workspace's window; missing where the workspace had no ceiling, or the call took nothing of it. */
  readonly ceiling_second?: number;
}

/** In a journal, `usage-<boot>-<day>`: reads, refused calls and failed writes. */
export interface TokenUsed {
  readonly type: 'TokenUsed';
  readonly data: TokenUse;
}

/** In `denials-<day>`: many refusals in one event, so that an attack does not fill the log (P11). */
export interface TokenUsesDenied {
  readonly type: 'TokenUsesDenied';
  readonly data: {
    /** Null where no valid token was shown. */
    readonly token: string | null;
    /** The token's; missing where there is none, and in events before it was kept. */
    readonly workspace?: string;
    readonly face: Face;
    readonly operation: string;
    readonly reason: string;
    /** Network of the callers: /24 or /64. */
    readonly address: string;
    readonly count: number;
    readonly from: string;
    readonly to: string;
  };
}

/** In the journal: a long answer has ended. Its opening is the `TokenUsed` of the same request. */
export interface TokenUseEnded {
  readonly type: 'TokenUseEnded';
  readonly data: {
    readonly token: string;
    readonly workspace: string;
    /** RFC 3339. */
    readonly time: string;
    readonly operation: string;
    readonly request_id: string;
    /** `cut`: its token died meanwhile. `abandoned`: the caller went away. `failed`: it broke on our side. */
    readonly outcome: 'complete' | 'cut' | 'abandoned' | 'failed';
    /** Handed to the face; what of it the caller got is not known. */
    readonly bytes: number;
    /** Since the answer was opened. */
    readonly duration_ms: number;
  };
}

export type UsageEvent = TokenUsed | TokenUseEnded | TokenUsesDenied;

export const JOURNAL_PREFIX = 'usage-';
export const DENIALS_PREFIX = 'denials-';

/** The use an event stands for: its own data in a journal, the `use` of its metadata where a write carried it. */
export function useOf(event: {
  readonly type: string;
  readonly data: unknown;
  readonly metadata: { readonly [key: string]: unknown };
}): TokenUse | null {
  if (event.type === 'TokenUsed') return event.data as TokenUse;
  return (event.metadata['use'] as TokenUse | undefined) ?? null;
}
