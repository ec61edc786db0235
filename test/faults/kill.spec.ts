import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openSqliteEventLog } from '../../libs/event-log/sqlite/sqlite-event-log.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { Evidence, expectPromisesKept, readRecord, type Revocation, succeeded } from './evidence.ts';
import { Callers, createToken, PLENTY, type Token } from './load.ts';
import { reportRounds } from './report.ts';

const ROUNDS = Number(process.env['WRIT_FAULT_ROUNDS'] ?? 5);
const ROUND_MS = 180_000;
const FEW = 30;

describe('kill -9 under load', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'writ-kill-'));
  const callers = new Callers();
  const revoked = new Map<string, Revocation>();
  let server: ServerProcess;
  let operator: Token;
  let busy: Token;
  let limited: Token;
  let evidence: Evidence;

  const start = async (): Promise<void> => {
    server = await startServerProcess({ DATA_DIR: dataDir });
  };

  beforeAll(
    async () => {
      await start();
      operator = { id: 'operator', token: readFileSync(join(dataDir, 'operator-token'), 'utf8').trim() };
      busy = await createToken(callers, server.url, operator, 'busy', PLENTY);
      limited = await createToken(callers, server.url, operator, 'limited', FEW);
      for (let round = 0; round < ROUNDS; round++) {
        await underLoad(100 + Math.floor(Math.random() * 200));
        await start();
        for (const { token } of revoked.values()) await callers.call(server.url, token, { path: '/api/v1/me' });
      }
      // More than the limit at once: whatever the rounds have left of the window, some must be refused.
      for (let call = 0; call <= FEW; call++) await callers.call(server.url, limited, { path: '/api/v1/me' });
      await server.stop();
      const log = await openSqliteEventLog({ directory: dataDir });
      evidence = new Evidence(callers.answers, revoked, await readRecord(log));
      await log.close();
      reportRounds({
        set: 'one process, embedded log and view',
        broken: 'kill -9 of the process',
        rounds: ROUNDS,
        evidence,
        violations: evidence.violations([{ tokens: [limited], perMinute: FEW, countedIn: 'window_second' }]),
      });
    },
    60_000 + ROUND_MS * ROUNDS,
  );

  afterAll(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('was a load: calls succeeded, writes were repeated, tokens died and were asked after, limits were met', () => {
    expect(evidence.succeeded.length).toBeGreaterThan(50 * ROUNDS);
    expect(evidence.record.byKey.size).toBeGreaterThan(0);
    expect(revoked.size).toBeGreaterThan(0);
    // At least the look at each of them after the restart.
    expect(evidence.afterRevocation().length).toBeGreaterThanOrEqual(revoked.size);
    expect(callers.answers.some(({ token, status }) => token === limited.id && status === 429)).toBe(true);
  });

  it('P1 P2 P3 every answer is in the log, nothing revoked passes, no limit is exceeded, restarts included', () => {
    expectPromisesKept(evidence, [{ tokens: [limited], perMinute: FEW, countedIn: 'window_second' }]);
  });

  /** A dozen callers; the server killed after so many answers, a token revoked somewhere before, or just then. */
  async function underLoad(lifeAnswers: number): Promise<void> {
    const { url, child } = server;
    const doomed = await createToken(callers, url, operator, 'doomed', PLENTY);
    const from = callers.answers.length;
    const load = [
      ...Array.from({ length: 4 }, () => callers.read(url, busy)),
      ...Array.from({ length: 2 }, () => callers.write(url, busy, false)),
      ...Array.from({ length: 2 }, () => callers.write(url, busy, true)),
      ...Array.from({ length: 2 }, () => callers.read(url, doomed)),
      callers.write(url, doomed, false),
      callers.read(url, limited, { pauseMs: 100 }),
      callers.answered(from + Math.random() * lifeAnswers).then(() => revoke(url, doomed)),
    ];
    await callers.answered(from + lifeAnswers);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await Promise.all(load);
  }

  async function revoke(url: string, token: Token): Promise<void> {
    const answer = await callers.call(url, operator, { method: 'DELETE', path: `/api/v1/tokens/${token.id}` });
    if (answer !== null && succeeded(answer)) revoked.set(token.id, { token, answeredMs: answer.answeredMs });
  }
});
