import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** A product token as its creation answered it. */
export interface Token {
  readonly id: string;
  readonly token: string;
}

/** What a caller has seen of one call. Times are milliseconds since 1970, on the caller's clock. */
export interface Answer {
  readonly token: string;
  readonly startedMs: number;
  readonly answeredMs: number;
  readonly status: number;
  readonly requestId: string;
  readonly body: unknown;
}

export interface Request {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: object;
  readonly idempotencyKey?: string;
}

/** Callers of a server that may die under them: every answer they got is kept, calls without one are not. */
export class Callers {
  readonly answers: Answer[] = [];
  /** Keys of writes that got no answer: to be sent again to the next server. */
  readonly unanswered: string[] = [];

  /** Null when the server went away before it answered. */
  async call(url: string, { id, token }: Token, request: Request): Promise<Answer | null> {
    const startedMs = Date.now();
    try {
      const response = await fetch(`${url}${request.path}`, {
        method: request.method ?? 'GET',
        headers: {
          authorization: `Bearer ${token}`,
          ...(request.body && { 'content-type': 'application/json' }),
          ...(request.idempotencyKey !== undefined && { 'idempotency-key': request.idempotencyKey }),
        },
        ...(request.body && { body: JSON.stringify(request.body) }),
      });
      const answeredMs = Date.now();
      const requestId = response.headers.get('x-request-id') ?? '';
      // Its head has come: answered, even if the body is cut off.
      const body: unknown = await response.json().catch(() => null);
      const answer = { token: id, startedMs, answeredMs, status: response.status, requestId, body };
      this.answers.push(answer);
      return answer;
    } catch {
      return null;
    }
  }

  /** Resolves once so many calls have been answered in all: a load is counted by what was answered, not by the clock. */
  async answered(count: number): Promise<void> {
    while (this.answers.length < count) await sleep(LOOK_MS);
  }

  /** Reads, one after the other, until the server is gone or the signal says so. */
  async read(url: string, token: Token, { pauseMs = 0, signal }: Pace = {}): Promise<void> {
    while (signal?.aborted !== true) {
      const answer = await this.call(url, token, { path: '/api/v1/me' });
      if (answer === null) return;
      await rest(answer, pauseMs);
    }
  }

  /** Writes likewise; keyed ones twice each, and again at whichever server is asked next if they got no clear answer. */
  async write(url: string, token: Token, keyed: boolean, { pauseMs = 0, signal }: Pace = {}): Promise<void> {
    for (let alive = true; alive && signal?.aborted !== true;) {
      const key = keyed ? (this.unanswered.pop() ?? randomUUID()) : undefined;
      const request: Request = {
        method: 'POST',
        path: '/api/v1/reports',
        body: { title: `Report ${key ?? 'without key'}` },
        ...(key !== undefined && { idempotencyKey: key }),
      };
      let unclear = false;
      for (let time = 0; alive && time < (keyed ? 2 : 1); time++) {
        const answer = await this.call(url, token, request);
        alive = answer !== null;
        unclear = answer === null || answer.status === UNAVAILABLE;
        if (answer !== null) await rest(answer, pauseMs);
      }
      if (unclear && key !== undefined) this.unanswered.push(key);
    }
  }
}

export interface Pace {
  readonly pauseMs?: number;
  readonly signal?: AbortSignal;
}

const LOOK_MS = 2;
const UNAVAILABLE = 503;
const UNAVAILABLE_PAUSE_MS = 100;

async function rest({ status }: Answer, pauseMs: number): Promise<void> {
  const ms = status === UNAVAILABLE ? Math.max(pauseMs, UNAVAILABLE_PAUSE_MS) : pauseMs;
  if (ms > 0) await sleep(ms);
}

/** A product token of reports, with the limits given and no bound on writes that a test would meet. */
export async function createToken(
  callers: Callers,
  url: string,
  operator: Token,
  name: string,
  readsPerMinute: number,
): Promise<Token> {
  const request: Request = {
    method: 'POST',
    path: '/api/v1/tokens',
    body: {
      catalogue: 'comma',
      name,
      scopes: ['reports:read', 'reports:write'],
      limits: { reads: { per_minute: readsPerMinute }, writes: { per_minute: PLENTY } },
    },
  };
  let answer = await callers.call(url, operator, request);
  // A machine that is very busy lets the view grow stale; that is not what is asked here.
  for (; answer?.status === UNAVAILABLE; answer = await callers.call(url, operator, request)) await rest(answer, 0);
  if (answer?.status !== 201) throw new Error(`no token was created: ${JSON.stringify(answer)}`);
  return answer.body as Token;
}

export const PLENTY = 1_000_000;
