import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openSqliteEventLog } from '../../libs/event-log/sqlite/sqlite-event-log.ts';
import { type TokenUse, useOf } from '../../libs/usage/use.ts';
import { WINDOW_BUCKETS } from '../../libs/window/window.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { type Answer, Callers, type Token } from './load.ts';

const ROUNDS = Number(process.env['WRIT_FAULT_ROUNDS'] ?? 5);
const ROUND_MS = 12_000;
const PLENTY = 1_000_000;
const FEW = 30;
const SINGLY_RECORDED = 20;

describe('kill -9 under load', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-kill-'));
  const callers = new Callers();
  /** Tokens whose revocation was answered, and when. */
  const revoked = new Map<string, { readonly token: Token; readonly answeredMs: number }>();
  let server: ServerProcess;
  let operator: Token;
  let busy: Token;
  let limited: Token;
  let uses: TokenUse[];
  let createdByKey: Map<string, Set<string>>;

  const start = async (): Promise<void> => {
    server = await startServerProcess({ DATA_DIR: dataDir });
  };

  beforeAll(async () => {
    await start();
    operator = { id: 'operator', token: readFileSync(join(dataDir, 'operator-token'), 'utf8').trim() };
    busy = await createToken('busy', PLENTY);
    limited = await createToken('limited', FEW);
    for (let round = 0; round < ROUNDS; round++) {
      await underLoad(300 + Math.random() * 1_200);
      await start();
      for (const { token } of revoked.values()) await callers.call(server.url, token, { path: '/api/v1/me' });
    }
    // More than the limit at once: whatever the rounds have left of the window, some must be refused.
    for (let call = 0; call <= FEW; call++) await callers.call(server.url, limited, { path: '/api/v1/me' });
    await server.stop();
    await readLog();
  }, ROUND_MS * ROUNDS);

  afterAll(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('P1 every answered success is in the log exactly once, under its request id', () => {
    const recorded = Map.groupBy(
      uses.filter(({ decision }) => decision === 'allowed'),
      ({ request_id: id }) => id,
    );
    const answered = callers.answers.filter(succeeded);
    expect(answered.length).toBeGreaterThan(50 * ROUNDS);
    expect(answered.filter(({ requestId }) => recorded.get(requestId)?.length !== 1)).toEqual([]);
  });

  it('P1 an answered refusal of a token is in the log, the first 20 singly', () => {
    const refused = callers.answers.filter(({ status }) => status === 401 || status === 429);
    // Whatever the decision: a call in flight when its token was revoked is recorded as let in, and answered 401.
    const recorded = new Set(uses.map(({ request_id: id }) => id));
    for (const answers of Map.groupBy(refused, ({ token }) => token).values()) {
      const count = answers.filter(({ requestId }) => recorded.has(requestId)).length;
      expect(count).toBeGreaterThanOrEqual(Math.min(SINGLY_RECORDED, answers.length));
    }
  });

  it('P1 a write repeated under its key after the crash is one report', () => {
    expect(createdByKey.size).toBeGreaterThan(0);
    expect([...createdByKey].filter(([, ids]) => ids.size !== 1)).toEqual([]);
  });

  it('P2 no call begun after an answered revocation succeeds, restarts included', () => {
    expect(revoked.size).toBeGreaterThan(0);
    const after = callers.answers.filter(
      ({ token, startedMs }) => startedMs > (revoked.get(token)?.answeredMs ?? Infinity),
    );
    // At least the look at each of them after the restart.
    expect(after.length).toBeGreaterThanOrEqual(revoked.size);
    expect(after.filter(({ status }) => status !== 401 && status !== 429)).toEqual([]);
  });

  it('P3 never more than the limit in any 60 seconds, by the answers and by the record', () => {
    const answered = callers.answers.filter((answer) => answer.token === limited.id && succeeded(answer));
    for (const { startedMs } of answered) {
      const within = answered.filter((other) => other.startedMs >= startedMs && other.answeredMs <= startedMs + 60_000);
      expect(within.length).toBeLessThanOrEqual(FEW);
    }
    const recorded = uses.filter(({ token, decision }) => token === limited.id && decision === 'allowed');
    for (const { window_second: from } of recorded) {
      const within = recorded.filter(({ window_second: second }) => second >= from && second < from + WINDOW_BUCKETS);
      expect(within.length).toBeLessThanOrEqual(FEW);
    }
    expect(answered.length).toBeGreaterThan(0);
    expect(callers.answers.some(({ token, status }) => token === limited.id && status === 429)).toBe(true);
  });

  /** A dozen callers; one token revoked at some moment; the server killed at another. */
  async function underLoad(lifeMs: number): Promise<void> {
    const doomed = await createToken('doomed', PLENTY);
    const { url, child } = server;
    const load = [
      ...Array.from({ length: 4 }, () => callers.read(url, busy)),
      ...Array.from({ length: 2 }, () => callers.write(url, busy, false)),
      ...Array.from({ length: 2 }, () => callers.write(url, busy, true)),
      ...Array.from({ length: 2 }, () => callers.read(url, doomed)),
      callers.write(url, doomed, false),
      callers.read(url, limited, 100),
      sleep(Math.random() * lifeMs).then(() => revoke(url, doomed)),
    ];
    await sleep(lifeMs);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await Promise.all(load);
  }

  async function revoke(url: string, token: Token): Promise<void> {
    const answer = await callers.call(url, operator, { method: 'DELETE', path: `/api/v1/tokens/${token.id}` });
    if (answer !== null && succeeded(answer)) revoked.set(token.id, { token, answeredMs: answer.answeredMs });
  }

  async function createToken(name: string, reads: number): Promise<Token> {
    const answer = await callers.call(server.url, operator, {
      method: 'POST',
      path: '/api/v1/tokens',
      body: {
        catalogue: 'comma',
        name,
        scopes: ['reports:read', 'reports:write'],
        limits: { reads: { per_minute: reads }, writes: { per_minute: PLENTY } },
      },
    });
    if (answer?.status !== 201) throw new Error(`no token was created: ${JSON.stringify(answer)}`);
    return answer.body as Token;
  }

  async function readLog(): Promise<void> {
    uses = [];
    createdByKey = new Map();
    const log = await openSqliteEventLog({ directory: dataDir });
    try {
      for await (const event of log.readAll()) {
        const use = useOf(event);
        if (use !== null) uses.push(use);
        const key = (event.metadata['idempotency'] as { readonly key: string } | undefined)?.key;
        if (key === undefined) continue;
        const events = createdByKey.get(key) ?? new Set();
        createdByKey.set(key, events.add(`${event.stream}@${event.revision}`));
      }
    } finally {
      await log.close();
    }
  }
});

const succeeded = ({ status }: Answer): boolean => status >= 200 && status < 300;
