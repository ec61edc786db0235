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

  /** Reads, one after the other, until the server is gone. */
  async read(url: string, token: Token, pauseMs = 0): Promise<void> {
    while ((await this.call(url, token, { path: '/api/v1/me' })) !== null) if (pauseMs > 0) await sleep(pauseMs);
  }

  /** Writes until the server is gone; keyed ones twice each, and again at the next server if they got no answer. */
  async write(url: string, token: Token, keyed: boolean): Promise<void> {
    for (let alive = true; alive;) {
      const key = keyed ? (this.unanswered.pop() ?? randomUUID()) : undefined;
      const request: Request = {
        method: 'POST',
        path: '/api/v1/reports',
        body: { title: `Report ${key ?? 'without key'}` },
        ...(key !== undefined && { idempotencyKey: key }),
      };
      for (let time = 0; alive && time < (keyed ? 2 : 1); time++)
        alive = (await this.call(url, token, request)) !== null;
      if (!alive && key !== undefined) this.unanswered.push(key);
    }
  }
}
